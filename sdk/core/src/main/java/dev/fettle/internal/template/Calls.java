package dev.fettle.internal.template;

import dev.fettle.internal.template.Node.Expression;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The arguments of a call as they are written. */
final class Calls {
  private final List<Expression> positional = new ArrayList<>();
  private final Map<String, Expression> named = new LinkedHashMap<>();
  private Expression list;
  private Expression dict;

  void positional(Token place, Expression value) {
    ensure(list == null && dict == null && named.isEmpty(), place);
    positional.add(value);
  }

  void named(Token place, Expression value) {
    ensure(dict == null && !named.containsKey(place.text()), place);
    named.put(place.text(), value);
  }

  void list(Token place, Expression value) {
    ensure(list == null && dict == null, place);
    list = value;
  }

  void dict(Token place, Expression value) {
    ensure(dict == null, place);
    dict = value;
  }

  private static void ensure(boolean right, Token place) {
    if (!right) {
      throw place.error("arguments in an order that a call cannot have");
    }
  }

  Arguments values(Scope scope) {
    if (positional.isEmpty() && named.isEmpty() && list == null && dict == null) {
      return Arguments.NONE;
    }
    List<Object> values = new ArrayList<>();
    positional.forEach(value -> values.add(value.value(scope)));
    Map<String, Object> names = new LinkedHashMap<>();
    named.forEach((name, value) -> names.put(name, value.value(scope)));
    if (list != null) {
      values.addAll(Values.items(list.value(scope)));
    }
    if (dict != null) {
      if (!(dict.value(scope) instanceof Dict given)) {
        throw TemplateException.type("what stands after ** must be a mapping");
      }
      for (Object key : given.keys()) {
        if (names.put(Values.str(key).chars(), given.get(key)) != null) {
          throw TemplateException.type("two values for the argument " + Values.repr(key));
        }
      }
    }
    return new Arguments(values, names);
  }

  static Object call(Object function, Arguments arguments, Run run) {
    if (function instanceof Function callable) {
      return callable.call(arguments, run);
    } else if (function instanceof Undefined undefined) {
      throw undefined.error();
    }
    throw TemplateException.type("'" + Values.type(function) + "' object is not callable");
  }
}
