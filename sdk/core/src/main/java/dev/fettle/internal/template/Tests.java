package dev.fettle.internal.template;

import java.math.BigInteger;
import java.util.Set;

/** What may stand behind {@code is}. */
final class Tests {
  static final Set<String> NAMES = Set.of("odd", "even", "divisibleby", "defined", "undefined", "filter", "test", "none",
      "boolean", "false", "true", "integer", "float", "lower", "upper", "string", "mapping", "number", "sequence", "iterable",
      "callable", "sameas", "escaped", "in", "==", "eq", "equalto", "!=", "ne", ">", "gt", "greaterthan", "ge", ">=", "<",
      "lt", "lessthan", "<=", "le");

  private Tests() {}

  static boolean call(String name, Object value, Arguments arguments) {
    return switch (name) {
      case "divisibleby", "sameas", "in", "==", "eq", "equalto", "!=", "ne", ">", "gt", "greaterthan", "ge", ">=", "<", "lt",
          "lessthan", "<=", "le" -> two(name, value, arguments.bind("test " + name, "other")[0]);
      default -> {
        arguments.bind("test " + name);
        yield one(name, value);
      }
    };
  }

  private static boolean one(String name, Object value) {
    return switch (name) {
      case "defined" -> !(value instanceof Undefined);
      case "undefined" -> value instanceof Undefined;
      case "none" -> value == null;
      case "boolean" -> value instanceof Boolean;
      case "true" -> Boolean.TRUE.equals(value);
      case "false" -> Boolean.FALSE.equals(value);
      case "integer" -> value instanceof BigInteger;
      case "float" -> value instanceof Double;
      case "number" -> Numbers.isNumber(value);
      case "string" -> value instanceof Text;
      case "mapping" -> value instanceof Dict;
      case "sequence" -> value instanceof Text || value instanceof Dict || value instanceof Undefined
          || value instanceof Seq seq && !seq.kind().isView();
      case "iterable" -> Values.iterable(value);
      case "callable" -> value instanceof Function || value instanceof Undefined;
      case "escaped" -> value instanceof Text text && text.safe();
      case "lower" -> Letters.isLower(Values.str(value).chars());
      case "upper" -> Letters.isUpper(Values.str(value).chars());
      case "odd" -> Values.equal(Operators.binary("%", value, Numbers.of(2)), Numbers.of(1));
      case "even" -> Values.equal(Operators.binary("%", value, Numbers.of(2)), Numbers.of(0));
      case "filter" -> value instanceof Text text && Filters.knows(text.chars());
      case "test" -> value instanceof Text text && NAMES.contains(text.chars());
      default -> throw new TemplateException("no test is called '" + name + "'");
    };
  }

  private static boolean two(String name, Object value, Object other) {
    return switch (name) {
      case "divisibleby" -> Values.equal(Operators.binary("%", value, other), Numbers.of(0));
      case "sameas" -> value == other || Numbers.isNumber(value) && value.equals(other);
      case "in" -> Values.contains(other, value);
      case "==", "eq", "equalto" -> Values.equal(value, other);
      case "!=", "ne" -> !Values.equal(value, other);
      case ">", "gt", "greaterthan" -> Operators.compare(">", value, other);
      case ">=", "ge" -> Operators.compare(">=", value, other);
      case "<", "lt", "lessthan" -> Operators.compare("<", value, other);
      default -> Operators.compare("<=", value, other);
    };
  }
}
