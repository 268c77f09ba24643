package dev.fettle.internal.text;

import dev.fettle.Conversation;
import dev.fettle.Message;
import dev.fettle.Tokenizer;
import java.util.List;

/**
 * ChatML as Qwen 2.5 and Qwen 3 write it: with tools, and with reasoning in three ways.
 *
 * @param defaultSystem the system message of a conversation that begins without one; null for none
 */
record QwenFormat(String family, String defaultSystem, Thinking thinking) implements PiecesFormat {
  /** The system message that Qwen 2.5 was trained with. */
  static final String QWEN_SYSTEM = "You are Qwen, created by Alibaba Cloud. You are a helpful assistant.";

  enum Thinking {
    NONE,
    ON,
    OFF
  }

  private static final String TOOLS_BEFORE = "# Tools\n\nYou may call one or more functions to assist with the user"
      + " query.\n\nYou are provided with function signatures within <tools></tools> XML tags:\n<tools>";
  private static final String TOOLS_AFTER = "\n</tools>\n\nFor each function call, return a json object with function"
      + " name and arguments within <tool_call></tool_call> XML tags:\n<tool_call>\n{\"name\": <function-name>,"
      + " \"arguments\": <args-json-object>}\n</tool_call>";

  @Override
  public List<String> needs() {
    return List.of(ChatMlFormat.START, ChatMlFormat.END);
  }

  @Override
  public boolean rewritesHistory() {
    return thinking != Thinking.NONE;
  }

  @Override
  public void write(Conversation conversation, boolean generate, Pieces out) {
    if (thinking == Thinking.NONE) {
      Refusals.noReasoning(family, conversation);
    }
    Refusals.reasoningOnlyByAssistants(family, conversation);
    Refusals.toolCallsOnlyByAssistants(family, conversation);
    List<Message> messages = conversation.messages();
    int lastQuery = lastQuery(messages);
    writeSystem(conversation, out);
    for (int i = 0; i < messages.size(); i++) {
      Message message = messages.get(i);
      out.message(i);
      if (message.role().equals("assistant")) {
        writeAssistant(conversation, i, lastQuery, out);
      } else if (message.role().equals("tool")) {
        writeToolAnswer(messages, i, out);
      } else if (i > 0 || !message.role().equals("system")) {
        ChatMlFormat.open(out, message.role());
        out.output(message.content());
        ChatMlFormat.close(out);
      }
    }
    if (generate) {
      ChatMlFormat.open(out.message(Pieces.NOBODY), "assistant");
      out.header(thinking == Thinking.OFF ? Reasoning.frame("") : "");
    }
  }

  private void writeSystem(Conversation conversation, Pieces out) {
    boolean own = conversation.messages().get(0).role().equals("system");
    String system = own ? conversation.messages().get(0).content() : defaultSystem;
    if (system == null && conversation.tools().isEmpty()) {
      return;
    }
    out.message(own ? 0 : Pieces.NOBODY);
    ChatMlFormat.open(out, "system");
    out.output(system == null ? "" : system);
    if (!conversation.tools().isEmpty()) {
      out.header((system == null ? "" : "\n\n") + TOOLS_BEFORE);
      for (String tool : conversation.tools()) {
        out.header("\n" + PythonJson.compact(ToolCalls.tool(tool)));
      }
      out.header(TOOLS_AFTER);
    }
    ChatMlFormat.close(out);
  }

  /** Answers up to the last real question are history, from which the template cuts the reasoning. */
  private static int lastQuery(List<Message> messages) {
    for (int i = messages.size() - 1; i >= 0; i--) {
      String content = messages.get(i).content();
      boolean toolAnswer = content.startsWith("<tool_response>") && content.endsWith("</tool_response>");
      if (messages.get(i).role().equals("user") && !toolAnswer) {
        return i;
      }
    }
    return messages.size() - 1;
  }

  private void writeAssistant(Conversation conversation, int index, int lastQuery, Pieces out) {
    Message message = conversation.messages().get(index);
    ChatMlFormat.open(out, "assistant");
    String content = message.content();
    if (thinking == Thinking.NONE) {
      out.output(content);
    } else {
      Reasoning split = Reasoning.of(message);
      content = split.content();
      if (thinking == Thinking.OFF && !split.reasoning().isEmpty()) {
        throw Refusals.refuse(family, conversation, index,
            "the format has no place for reasoning: remove it with withReasoning(\"\") or choose qwen3");
      }
      boolean last = index == conversation.messages().size() - 1;
      if (index > lastQuery && (last || !split.reasoning().isEmpty())) {
        String frame = Reasoning.frame(split.reasoning());
        if (thinking == Thinking.OFF) {
          out.header(frame);
        } else {
          out.output(frame);
        }
        out.output(PythonText.stripLineBreaks(content, true, false));
      } else {
        out.output(content);
      }
    }
    out.output(ToolCalls.write(family, conversation, index, !content.isEmpty()));
    ChatMlFormat.close(out);
  }

  private static void writeToolAnswer(List<Message> messages, int index, Pieces out) {
    if (index == 0 || !messages.get(index - 1).role().equals("tool")) {
      out.headerToken(ChatMlFormat.START).header("user");
    }
    out.header("\n").output("<tool_response>\n" + messages.get(index).content() + "\n</tool_response>");
    if (index == messages.size() - 1 || !messages.get(index + 1).role().equals("tool")) {
      ChatMlFormat.close(out);
    }
  }

  @Override
  public List<Integer> stopTokens(Tokenizer tokenizer) {
    return List.of(tokenizer.id(ChatMlFormat.END).orElseThrow());
  }

  @Override
  public Message parse(String text) {
    Message split = thinking == Thinking.NONE ? Message.assistant(text) : Reasoning.parse(text);
    return ToolCalls.parse(split);
  }
}
