package dev.fettle.internal.data;

import dev.fettle.internal.json.ArrayNode;
import dev.fettle.internal.json.JsonNode;
import dev.fettle.internal.json.ObjectNode;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** What a message of a file has that a chat template may see, beyond what every message has. A null is not there. */
final class MessageFields {
  /** What says how a message is trained. */
  private static final Set<String> OURS = Set.of("weight", "trained", "trainable");
  private static final List<String> FUNCTION = List.of("name", "arguments");

  private MessageFields() {}

  /**
   * All fields, if the message is written otherwise than a template expects; else those that are not parts of each message.
   *
   * @param role what its role is to us
   * @param called whether calls with ids come before
   */
  static Map<String, Object> of(JsonNode node, String role, boolean called) {
    ObjectNode fields = new ObjectNode();
    boolean whole = !node.get("role").asString().equals(role) || !node.path("content").isString() || !begins(node)
        || node.hasNonNull("function_call") || !ordinary(node.path("tool_calls"))
        || called && role.equals("tool") && !node.hasNonNull("tool_call_id");
    for (Map.Entry<String, JsonNode> field : node.properties()) {
      String name = field.getKey();
      JsonNode value = field.getValue();
      if (OURS.contains(name) || value.isNull() && !name.equals("content") || !whole && isPart(name, value)) {
        continue;
      }
      fields.set(name, name.equals("tool_calls") ? calls(value) : value);
    }
    return fields.isEmpty() ? Map.of() : fields.asJava();
  }

  /** Whether role and content come before all else. */
  private static boolean begins(JsonNode node) {
    Iterator<String> names = node.propertyNames().iterator();
    return names.next().equals("role") && names.hasNext() && names.next().equals("content");
  }

  private static boolean isPart(String name, JsonNode value) {
    return switch (name) {
      case "role", "content", "tool_calls" -> true;
      case "reasoning_content" -> !value.asString("").isEmpty();
      default -> false;
    };
  }

  /** Whether calls are written as templates expect them. */
  private static boolean ordinary(JsonNode calls) {
    return calls.valueStream().allMatch(call -> {
      List<String> names = List.copyOf(call.propertyNames());
      JsonNode function = call.path("function");
      return (names.equals(List.of("id", "type", "function")) && !call.path("id").asString("").isEmpty()
          || names.equals(List.of("type", "function"))) && call.path("type").isString()
          && List.copyOf(function.propertyNames()).equals(FUNCTION) && function.path("arguments").isObject();
    });
  }

  /** Calls without what is null in them; arguments keep theirs. */
  private static JsonNode calls(JsonNode calls) {
    ArrayNode all = new ArrayNode();
    calls.valueStream().map(MessageFields::withoutNulls).forEach(call ->
        all.add(call.path("function").isObject() ? call.set("function", withoutNulls(call.get("function"))) : call));
    return all;
  }

  private static ObjectNode withoutNulls(JsonNode node) {
    ObjectNode kept = new ObjectNode();
    node.properties().stream().filter(field -> !field.getValue().isNull()).forEach(field -> kept.set(field.getKey(), field.getValue()));
    return kept;
  }
}
