package dev.fettle.internal.template;

import dev.fettle.internal.template.Node.Expression;
import java.util.ArrayList;
import java.util.List;

/** Lists, tuples and dictionaries that a template writes out. */
final class Literals {
  private Literals() {}

  static Expression list(List<Expression> items) {
    return scope -> new Seq(values(items, scope), Seq.Kind.LIST);
  }

  static Expression tuple(List<Expression> items) {
    return scope -> new Seq(values(items, scope), Seq.Kind.TUPLE);
  }

  private static List<Object> values(List<Expression> items, Scope scope) {
    List<Object> values = new ArrayList<>(items.size());
    items.forEach(item -> values.add(item.value(scope)));
    return values;
  }

  /** A dictionary with a message's content is that message, written anew. */
  static Expression dict(List<Expression> keys, List<Expression> values) {
    return scope -> {
      List<Object> given = values(values, scope);
      int message = given.stream().filter(Text.class::isInstance).map(value -> ((Text) value))
          .filter(text -> text.runs() > 0 && text.origin(0).field() == Origin.Field.CONTENT)
          .mapToInt(text -> text.origin(0).message()).findFirst().orElse(Origin.NOBODY);
      Dict dict = new Dict(message);
      for (int i = 0; i < keys.size(); i++) {
        dict.put(keys.get(i).value(scope), given.get(i));
      }
      return dict;
    };
  }
}
