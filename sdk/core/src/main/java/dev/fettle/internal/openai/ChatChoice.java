package dev.fettle.internal.openai;

import dev.fettle.Message;
import dev.fettle.Sample;
import dev.fettle.ToolCall;
import dev.fettle.internal.SampledToken;
import dev.fettle.internal.text.AnswerStream;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** One answer to a chat as it comes, and how it is written. Not thread-safe. */
final class ChatChoice {
  private final int index;
  private final AnswerStream answer;
  private final TokenTexts texts;
  private final boolean scored;
  private List<Object> logprobs = new ArrayList<>();
  private Sample.StopReason reason;
  private boolean thinking;

  /** @param scored whether logprobs are wanted */
  ChatChoice(int index, ChatRequest request, TokenTexts texts) {
    this.index = index;
    this.answer = new AnswerStream(request.renderer(), request.prompt(), request.calling());
    this.texts = texts;
    this.scored = request.top() >= 0;
  }

  /** Takes a token: the changes of the message that became certain. */
  List<Map<String, Object>> take(SampledToken token) {
    if (scored && !token.end()) {
      logprobs.add(texts.logprob(token));
    }
    return deltas(answer.take(token.text()));
  }

  /** Ends the answer. */
  List<Map<String, Object>> end(Sample.StopReason why) {
    reason = why;
    return deltas(answer.end());
  }

  /** Whether the last part was of the reasoning. */
  boolean thinking() {
    return thinking;
  }

  private List<Map<String, Object>> deltas(List<AnswerStream.Part> parts) {
    List<Map<String, Object>> out = new ArrayList<>();
    for (AnswerStream.Part part : parts) {
      thinking = part instanceof AnswerStream.Thought;
      if (part instanceof AnswerStream.Thought thought) {
        out.add(Map.of("reasoning_content", thought.text()));
      } else if (part instanceof AnswerStream.Content content) {
        out.add(Map.of("content", content.text()));
      } else if (part instanceof AnswerStream.Call call) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("index", call.index());
        json.putAll(call(call.call()));
        out.add(Map.of("tool_calls", List.of(json)));
      }
    }
    return out;
  }

  /** A change as a choice of an event, with the logprobs that have gathered. */
  Map<String, Object> delta(Map<String, Object> delta) {
    return choice("delta", delta);
  }

  /** The whole answer. */
  Map<String, Object> whole() {
    Message message = answer.message();
    Map<String, Object> out = new LinkedHashMap<>();
    out.put("role", "assistant");
    out.put("content", message.content().isEmpty() && !message.toolCalls().isEmpty() ? null : message.content());
    out.put("refusal", null);
    if (!message.reasoning().isEmpty()) {
      out.put("reasoning_content", message.reasoning());
    }
    if (!message.toolCalls().isEmpty()) {
      out.put("tool_calls", message.toolCalls().stream().map(ChatChoice::call).toList());
    }
    return choice("message", out);
  }

  /** The last event of the answer. */
  Map<String, Object> last() {
    return choice("delta", Map.of());
  }

  private Map<String, Object> choice(String name, Map<String, Object> content) {
    Map<String, Object> out = new LinkedHashMap<>();
    out.put("index", index);
    out.put(name, content);
    out.put("logprobs", scored ? Collections.singletonMap("content", logprobs) : null);
    out.put("finish_reason", reason == null || name.equals("delta") && !content.isEmpty() ? null : finish());
    logprobs = new ArrayList<>();
    return out;
  }

  private String finish() {
    return !answer.message().toolCalls().isEmpty() ? "tool_calls" : Answering.finish(reason);
  }

  private static Map<String, Object> call(ToolCall call) {
    Map<String, Object> out = new LinkedHashMap<>();
    out.put("id", call.id().isEmpty() ? Ids.of("call_") : call.id());
    out.put("type", "function");
    out.put("function", Map.of("name", call.name(), "arguments", call.arguments()));
    return out;
  }
}
