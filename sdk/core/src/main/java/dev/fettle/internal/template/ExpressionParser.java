package dev.fettle.internal.template;

import dev.fettle.internal.template.Node.Expression;
import dev.fettle.internal.template.Token.Kind;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/** Reads expressions, with Jinja's precedence. */
final class ExpressionParser {
  private static final Set<String> COMPARISONS = Set.of("==", "!=", "<", "<=", ">", ">=");

  private final Tokens tokens;
  private Set<String> read = new HashSet<>();

  ExpressionParser(Tokens tokens) {
    this.tokens = tokens;
  }

  /** The names that were read since, and begins anew with {@code names}. */
  Set<String> exchange(Set<String> names) {
    Set<String> before = read;
    read = names;
    return before;
  }

  /** Several expressions with commas between them are a tuple. */
  Expression tuple(boolean conditional, boolean empty, String end) {
    List<Expression> items = new ArrayList<>();
    boolean several = false;
    while (!ends(end)) {
      items.add(conditional ? expression() : or());
      if (!tokens.skip(",")) {
        break;
      }
      several = true;
    }
    if (!several && !items.isEmpty()) {
      return items.get(0);
    } else if (!several && !empty) {
      throw tokens.current().error("expected an expression, not " + tokens.current().described());
    }
    return Literals.tuple(items);
  }

  private boolean ends(String end) {
    Token token = tokens.current();
    return token.kind() == Kind.VARIABLE_END || token.kind() == Kind.BLOCK_END || token.is(")")
        || end != null && token.named(end);
  }

  Expression expression() {
    tokens.enter();
    Expression result = or();
    while (tokens.current().named("if")) {
      Token token = tokens.next();
      Expression then = result;
      Expression test = or();
      Expression other = tokens.skipName("else") ? expression() : scope -> new Undefined("the expression with 'if' on line "
          + token.line() + " is false and has no else");
      result = scope -> Values.truth(test.value(scope)) ? then.value(scope) : other.value(scope);
    }
    tokens.leave();
    return result;
  }

  private Expression or() {
    Expression left = and();
    while (tokens.skipName("or")) {
      Expression first = left;
      Expression second = and();
      left = scope -> {
        Object value = first.value(scope);
        return Values.truth(value) ? value : second.value(scope);
      };
    }
    return left;
  }

  private Expression and() {
    Expression left = not();
    while (tokens.skipName("and")) {
      Expression first = left;
      Expression second = not();
      left = scope -> {
        Object value = first.value(scope);
        return Values.truth(value) ? second.value(scope) : value;
      };
    }
    return left;
  }

  private Expression not() {
    if (tokens.skipName("not")) {
      tokens.enter();
      Expression inner = not();
      tokens.leave();
      return scope -> !Values.truth(inner.value(scope));
    }
    return comparison();
  }

  private Expression comparison() {
    Expression first = sum();
    List<Token> places = new ArrayList<>();
    List<String> operators = new ArrayList<>();
    List<Expression> others = new ArrayList<>();
    while (true) {
      Token token = tokens.current();
      if (token.kind() == Kind.OPERATOR && COMPARISONS.contains(token.text())) {
        operators.add(tokens.next().text());
      } else if (tokens.skipName("in")) {
        operators.add("in");
      } else if (token.named("not") && tokens.look().named("in")) {
        tokens.next();
        tokens.next();
        operators.add("not in");
      } else {
        break;
      }
      places.add(token);
      others.add(sum());
    }
    return operators.isEmpty() ? first : Node.at(places.get(0), scope -> {
      Object left = first.value(scope);
      for (int i = 0; i < operators.size(); i++) {
        Object right = others.get(i).value(scope);
        scope.run().weigh(left);
        scope.run().weigh(right);
        if (!Operators.compare(operators.get(i), left, right)) {
          return false;
        }
        left = right;
      }
      return true;
    });
  }

  private Expression sum() {
    Expression left = concatenation();
    while (tokens.current().is("+") || tokens.current().is("-")) {
      left = binary(left, tokens.next(), concatenation());
    }
    return left;
  }

  private Expression concatenation() {
    Expression first = product();
    if (!tokens.current().is("~")) {
      return first;
    }
    Token place = tokens.current();
    List<Expression> parts = new ArrayList<>(List.of(first));
    while (tokens.skip("~")) {
      parts.add(product());
    }
    return Node.at(place, scope -> {
      TextBuilder out = new TextBuilder();
      parts.forEach(part -> out.append(Values.str(part.value(scope))));
      return out.text();
    });
  }

  private Expression product() {
    Expression left = power();
    while (tokens.current().is("*") || tokens.current().is("/") || tokens.current().is("//") || tokens.current().is("%")) {
      left = binary(left, tokens.next(), power());
    }
    return left;
  }

  private Expression power() {
    Expression left = unary(true);
    while (tokens.current().is("**")) {
      left = binary(left, tokens.next(), unary(true));
    }
    return left;
  }

  private static Expression binary(Expression left, Token operator, Expression right) {
    return Node.at(operator, scope -> Operators.binary(operator.text(), left.value(scope), right.value(scope)));
  }

  private Expression unary(boolean filters) {
    Token token = tokens.current();
    Expression result;
    if (tokens.skip("-") || tokens.skip("+")) {
      tokens.enter();
      Expression inner = unary(false);
      tokens.leave();
      result = Node.at(token, scope ->
          token.is("-") ? Operators.negative(inner.value(scope)) : Operators.positive(inner.value(scope)));
    } else {
      result = primary();
    }
    result = postfix(result);
    return filters ? filtered(result) : result;
  }

  private Expression primary() {
    Token token = tokens.next();
    switch (token.kind()) {
      case NAME:
        return name(token);
      case STRING:
        StringBuilder text = new StringBuilder(token.text());
        while (tokens.current().kind() == Kind.STRING) {
          text.append(tokens.next().text());
        }
        String all = text.toString();
        return scope -> Text.of(all, scope.run().template());
      case INTEGER:
        BigInteger number = integer(token.text().toLowerCase(Locale.ROOT));
        return scope -> number;
      case FLOAT:
        Double real = Double.valueOf(token.text());
        return scope -> real;
      default:
        if (token.is("(")) {
          tokens.enter();
          Expression inner = tuple(true, true, null);
          tokens.expect(")");
          tokens.leave();
          return inner;
        } else if (token.is("[")) {
          return Literals.list(list("]"));
        } else if (token.is("{")) {
          return dict(token);
        }
        throw token.error("unexpected " + token.described());
    }
  }

  private Expression name(Token token) {
    switch (token.text()) {
      case "true", "True":
        return scope -> true;
      case "false", "False":
        return scope -> false;
      case "none", "None":
        return scope -> null;
      default:
        String name = token.text();
        read.add(name);
        return scope -> scope.get(name);
    }
  }

  private static BigInteger integer(String digits) {
    return digits.startsWith("0x") ? new BigInteger(digits.substring(2), 16)
        : digits.startsWith("0o") ? new BigInteger(digits.substring(2), 8)
        : digits.startsWith("0b") ? new BigInteger(digits.substring(2), 2) : new BigInteger(digits);
  }

  private List<Expression> list(String end) {
    List<Expression> items = new ArrayList<>();
    while (!tokens.current().is(end)) {
      if (!items.isEmpty()) {
        tokens.expect(",");
        if (tokens.current().is(end)) {
          break;
        }
      }
      items.add(expression());
    }
    tokens.expect(end);
    return items;
  }

  private Expression dict(Token place) {
    List<Expression> keys = new ArrayList<>();
    List<Expression> values = new ArrayList<>();
    while (!tokens.current().is("}")) {
      if (!keys.isEmpty()) {
        tokens.expect(",");
        if (tokens.current().is("}")) {
          break;
        }
      }
      keys.add(expression());
      tokens.expect(":");
      values.add(expression());
    }
    tokens.expect("}");
    return Node.at(place, Literals.dict(keys, values));
  }

  private Expression postfix(Expression start) {
    Expression value = places(start);
    while (tokens.current().is("(")) {
      value = places(call(value));
    }
    return value;
  }

  /** What is called, without its arguments. */
  Expression callee() {
    return places(primary());
  }

  private Expression places(Expression start) {
    Expression value = start;
    while (true) {
      Token token = tokens.current();
      if (tokens.skip(".")) {
        value = attribute(value, token);
      } else if (tokens.skip("[")) {
        value = subscript(value, token);
      } else {
        return value;
      }
    }
  }

  private Expression attribute(Expression of, Token place) {
    Token name = tokens.next();
    if (name.kind() == Kind.INTEGER) {
      BigInteger index = integer(name.text().toLowerCase(Locale.ROOT));
      return Node.at(place, scope -> Attributes.item(of.value(scope), index));
    } else if (name.kind() != Kind.NAME) {
      throw name.error("expected a name or a number after the dot, not " + name.described());
    }
    return Node.at(place, scope -> {
      Object value = of.value(scope);
      scope.run().weigh(value instanceof Text ? value : null);
      return Attributes.attribute(value, name.text());
    });
  }

  private Expression subscript(Expression of, Token place) {
    List<Expression> parts = new ArrayList<>();
    List<Expression> slices = new ArrayList<>();
    boolean slice = false;
    while (!tokens.current().is("]")) {
      if (!parts.isEmpty()) {
        tokens.expect(",");
      }
      Expression from = tokens.current().is(":") ? null : expression();
      if (tokens.skip(":")) {
        slice = true;
        slices.add(from);
        slices.add(tokens.current().is(":") || tokens.current().is("]") ? null : expression());
        slices.add(tokens.skip(":") && !tokens.current().is("]") ? expression() : null);
      }
      parts.add(from);
    }
    tokens.expect("]");
    if (slice && parts.size() > 1) {
      throw place.error("a subscript that is not supported");
    } else if (slice) {
      return Node.at(place, scope -> Slices.of(of.value(scope), slices.stream()
          .map(part -> part == null ? null : part.value(scope)).toArray()));
    }
    Expression index = parts.size() == 1 ? parts.get(0) : Literals.tuple(parts);
    return Node.at(place, scope -> Attributes.item(of.value(scope), index.value(scope)));
  }

  private Expression call(Expression function) {
    Token place = tokens.current();
    Calls arguments = arguments();
    return Node.at(place, scope -> Calls.call(function.value(scope), arguments.values(scope), scope.run()));
  }

  /** The arguments in parentheses, or none where there are none. */
  Calls arguments() {
    Calls calls = new Calls();
    if (!tokens.skip("(")) {
      return calls;
    }
    tokens.enter();
    while (!tokens.current().is(")")) {
      Token token = tokens.current();
      if (tokens.skip("*")) {
        calls.list(token, expression());
      } else if (tokens.skip("**")) {
        calls.dict(token, expression());
      } else if (token.kind() == Kind.NAME && tokens.look().is("=")) {
        tokens.next();
        tokens.next();
        calls.named(token, expression());
      } else {
        calls.positional(token, expression());
      }
      if (!tokens.current().is(")")) {
        tokens.expect(",");
      }
    }
    tokens.expect(")");
    tokens.leave();
    return calls;
  }

  private Expression filtered(Expression start) {
    Expression value = start;
    while (true) {
      if (tokens.current().is("|")) {
        value = filter(value);
      } else if (tokens.current().named("is")) {
        value = test(value);
      } else if (tokens.current().is("(")) {
        value = call(value);
      } else {
        return value;
      }
    }
  }

  /** One filter, after its bar. */
  Expression filter(Expression value) {
    tokens.expect("|");
    return filterNamed(value);
  }

  Expression filterNamed(Expression value) {
    Token place = tokens.current();
    String name = dotted();
    Calls arguments = arguments();
    return Node.at(place, scope -> Filters.call(name, value.value(scope), arguments.values(scope), scope.run()));
  }

  private String dotted() {
    StringBuilder name = new StringBuilder(tokens.name().text());
    while (tokens.skip(".")) {
      name.append('.').append(tokens.name().text());
    }
    return name.toString();
  }

  private Expression test(Expression value) {
    tokens.next();
    boolean negated = tokens.skipName("not");
    Token place = tokens.current();
    String name = dotted();
    Token token = tokens.current();
    Calls arguments;
    boolean plain = switch (token.kind()) {
      case STRING, INTEGER, FLOAT -> true;
      case NAME -> !token.named("else") && !token.named("or") && !token.named("and");
      default -> token.is("[") || token.is("{");
    };
    if (plain && token.named("is")) {
      throw token.error("tests cannot be chained with is");
    } else if (plain) {
      arguments = new Calls();
      arguments.positional(token, postfix(primary()));
    } else {
      arguments = arguments();
    }
    return Node.at(place, scope -> {
      Object tested = value.value(scope);
      Arguments given = arguments.values(scope);
      scope.run().weigh(given.positional().isEmpty() ? null : given.positional().get(0));
      return Tests.call(name, tested, given) != negated;
    });
  }
}
