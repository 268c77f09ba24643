package dev.fettle.internal.text;

import dev.fettle.Message;

/** Reasoning and answer of an assistant's message, as Qwen 3 writes them. */
record Reasoning(String reasoning, String content) {
  private static final String OPEN = "<think>";
  private static final String CLOSE = "</think>";

  /** The parts of a message, where the content itself may hold the reasoning. */
  static Reasoning of(Message message) {
    String content = message.content();
    int close = content.indexOf(CLOSE);
    if (!message.reasoning().isEmpty() || close < 0) {
      return new Reasoning(message.reasoning(), content);
    }
    String head = PythonText.stripLineBreaks(content.substring(0, close), false, true);
    String reasoning = head.substring(head.lastIndexOf(OPEN) < 0 ? 0 : head.lastIndexOf(OPEN) + OPEN.length());
    String answer = content.substring(content.lastIndexOf(CLOSE) + CLOSE.length());
    return new Reasoning(PythonText.stripLineBreaks(reasoning, true, false),
        PythonText.stripLineBreaks(answer, true, false));
  }

  /** The block that stands before an answer, even if nothing was thought. */
  static String frame(String reasoning) {
    return OPEN + "\n" + PythonText.stripLineBreaks(reasoning, true, true) + "\n" + CLOSE + "\n\n";
  }

  /** A sampled text; where the thinking was cut off there is no answer. */
  static Message parse(String text) {
    if (text.contains(CLOSE)) {
      Reasoning split = of(Message.assistant(text));
      return Message.assistant(split.content()).withReasoning(split.reasoning());
    }
    String start = text.stripLeading();
    return start.startsWith(OPEN)
        ? Message.assistant("").withReasoning(PythonText.stripLineBreaks(start.substring(OPEN.length()), true, true))
        : Message.assistant(text);
  }
}
