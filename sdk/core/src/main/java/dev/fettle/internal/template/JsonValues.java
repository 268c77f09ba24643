package dev.fettle.internal.template;

import dev.fettle.internal.json.JsonNode;
import java.util.ArrayList;
import java.util.List;

/** JSON as values of a template. */
public final class JsonValues {
  private JsonValues() {}

  /** A JSON value, every text in it of one origin. */
  public static Object of(JsonNode node, Origin origin) {
    if (node.isObject()) {
      Dict dict = new Dict();
      node.properties().forEach(entry -> dict.put(Text.of(entry.getKey(), origin), of(entry.getValue(), origin)));
      return dict;
    } else if (node.isArray()) {
      List<Object> items = new ArrayList<>(node.size());
      node.forEach(item -> items.add(of(item, origin)));
      return Seq.list(items);
    } else if (node.isString()) {
      return Text.of(node.asString(), origin);
    } else if (node.isBoolean()) {
      return node.asBoolean();
    } else if (node.isIntegralNumber()) {
      return node.bigIntegerValue();
    }
    return node.isNumber() ? (Object) node.doubleValue() : null;
  }
}
