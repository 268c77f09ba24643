package dev.fettle.internal.text;

import dev.fettle.Conversation;
import dev.fettle.Message;
import dev.fettle.Tokenizer;
import dev.fettle.ToolCall;
import java.util.List;

/** Llama 3.1, 3.2 and 3.3: a date in every system message, and tools in the first user message. */
record Llama31Format() implements PiecesFormat {
  private static final String DATES = "Cutting Knowledge Date: December 2023\nToday Date: 26 Jul 2024\n\n";
  private static final String TOOLS = "Given the following functions, please respond with a JSON for a function call"
      + " with its proper arguments that best answers the given prompt.\n\nRespond in the format {\"name\": function"
      + " name, \"parameters\": dictionary of argument name and its value}.Do not use variables.\n\n";

  @Override
  public String family() {
    return "llama3.1";
  }

  @Override
  public List<String> needs() {
    return List.of(Llama3Format.START, Llama3Format.STOP, Llama3Format.END);
  }

  @Override
  public void write(Conversation conversation, boolean generate, Pieces out) {
    Refusals.noReasoning(family(), conversation);
    Refusals.toolCallsOnlyByAssistants(family(), conversation);
    List<Message> messages = conversation.messages();
    boolean tools = !conversation.tools().isEmpty();
    int first = messages.get(0).role().equals("system") ? 1 : 0;
    out.bos();
    Llama3Format.open(out.message(first - 1), "system");
    out.header((tools ? "Environment: ipython\n" : "") + DATES);
    out.output(first == 0 ? "" : PythonText.strip(messages.get(0).content())).outputToken(Llama3Format.END);
    if (tools && (first == messages.size() || !messages.get(first).role().equals("user"))) {
      throw Refusals.refuse(family(), conversation, Math.min(first, messages.size() - 1),
          "tools are described in the first user message, which must come first or after the system message");
    }
    for (int i = first; i < messages.size(); i++) {
      writeMessage(conversation, i, tools && i == first, out.message(i));
    }
    if (generate) {
      Llama3Format.open(out.message(Pieces.NOBODY), "assistant");
    }
  }

  private void writeMessage(Conversation conversation, int index, boolean withTools, Pieces out) {
    Message message = conversation.messages().get(index);
    boolean tool = message.role().equals("tool");
    Llama3Format.open(out, tool ? "ipython" : message.role());
    if (withTools) {
      out.header(TOOLS);
      for (String description : conversation.tools()) {
        out.header(PythonJson.indented(ToolCalls.tool(description), 4) + "\n\n");
      }
    }
    if (tool) {
      out.output(PythonJson.quote(message.content()));
    } else if (message.toolCalls().isEmpty()) {
      out.output(PythonText.strip(message.content()));
    } else {
      out.output(call(conversation, index));
    }
    out.outputToken(Llama3Format.END);
  }

  private String call(Conversation conversation, int index) {
    Message message = conversation.messages().get(index);
    if (message.toolCalls().size() > 1) {
      throw Refusals.refuse(family(), conversation, index,
          "the format has one tool call a message, not " + message.toolCalls().size());
    }
    if (!message.content().isBlank()) {
      throw Refusals.refuse(family(), conversation, index,
          "the format has no text beside a tool call: make the content empty");
    }
    ToolCall call = message.toolCalls().get(0);
    return "{\"name\": \"" + call.name() + "\", \"parameters\": "
        + PythonJson.compact(ToolCalls.arguments(family(), conversation, index, call)) + "}";
  }

  @Override
  public List<Integer> stopTokens(Tokenizer tokenizer) {
    return List.of(tokenizer.id(Llama3Format.END).orElseThrow());
  }

  @Override
  public Message parse(String text) {
    ToolCall call = text.strip().startsWith("{") ? ToolCalls.call(text.strip(), "parameters") : null;
    return call == null ? Message.assistant(text) : Message.assistant("").withToolCalls(call);
  }
}
