package dev.fettle.internal.text;

import dev.fettle.Conversation;
import dev.fettle.Message;
import dev.fettle.internal.Status;
import java.util.Collection;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** Fields of messages that neither the chat format nor we read: each is named once. Thread-safe. */
final class UnreadFields {
  /** What we read ourselves, or says where a message is from. */
  private static final Set<String> KNOWN = Set.of("role", "content", "tool_calls", "function_call", "reasoning_content", "thinking",
      "reasoning", "name", "tool_call_id", "id", "uuid", "index", "refusal", "annotations", "audio", "model", "created", "created_at",
      "timestamp", "date", "source", "metadata", "meta", "language", "lang", "token_count", "finish_reason");

  private final Set<String> said = ConcurrentHashMap.newKeySet();

  void tell(Conversation conversation, ChatFormat format) {
    for (Message message : conversation.messages()) {
      for (Map.Entry<String, Object> field : message.fields().entrySet()) {
        String name = field.getKey();
        if (!KNOWN.contains(name) && !isEmpty(field.getValue()) && !format.reads(name) && said.add(name)) {
          Status.say("messages of these data have a field \"" + name.replaceAll("\\p{Cntrl}", "?")
              + "\" that the chat format does not read: it is not used. It is said once");
        }
      }
    }
  }

  private static boolean isEmpty(Object value) {
    return value == null || value.equals("") || value instanceof Collection<?> list && list.isEmpty()
        || value instanceof Map<?, ?> map && map.isEmpty();
  }
}
