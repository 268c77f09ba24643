package dev.fettle.internal.text;

import dev.fettle.Conversation;
import dev.fettle.Message;
import dev.fettle.Tokenizer;
import java.util.List;

/** Llama 3 without tools. */
record Llama3Format() implements PiecesFormat {
  static final String START = "<|start_header_id|>";
  static final String STOP = "<|end_header_id|>";
  static final String END = "<|eot_id|>";

  static void open(Pieces out, String role) {
    out.headerToken(START).header(role).headerToken(STOP).header("\n\n");
  }

  @Override
  public String family() {
    return "llama3";
  }

  @Override
  public List<String> needs() {
    return List.of(START, STOP, END);
  }

  @Override
  public void write(Conversation conversation, boolean generate, Pieces out) {
    Refusals.noTools(family(), conversation);
    Refusals.noReasoning(family(), conversation);
    out.bos();
    for (int i = 0; i < conversation.messages().size(); i++) {
      Message message = conversation.messages().get(i);
      open(out.message(i), message.role());
      out.output(PythonText.strip(message.content())).outputToken(END);
    }
    if (generate) {
      open(out.message(Pieces.NOBODY), "assistant");
    }
  }

  @Override
  public List<Integer> stopTokens(Tokenizer tokenizer) {
    return List.of(tokenizer.id(END).orElseThrow());
  }
}
