package dev.fettle.internal.text;

import dev.fettle.Conversation;
import dev.fettle.Message;
import dev.fettle.Tokenizer;
import java.util.List;

/**
 * Plain ChatML.
 *
 * @param defaultSystem the system message of a conversation that begins without one; null for none
 */
record ChatMlFormat(String defaultSystem) implements PiecesFormat {
  static final String START = "<|im_start|>";
  static final String END = "<|im_end|>";

  static void open(Pieces out, String role) {
    out.headerToken(START).header(role + "\n");
  }

  static void close(Pieces out) {
    out.outputToken(END).header("\n");
  }

  @Override
  public String family() {
    return "chatml";
  }

  @Override
  public List<String> needs() {
    return List.of(START, END);
  }

  @Override
  public void write(Conversation conversation, boolean generate, Pieces out) {
    Refusals.noTools(family(), conversation);
    Refusals.noReasoning(family(), conversation);
    List<Message> messages = conversation.messages();
    if (defaultSystem != null && !messages.get(0).role().equals("system")) {
      open(out, "system");
      out.header(defaultSystem).headerToken(END).header("\n");
    }
    for (int i = 0; i < messages.size(); i++) {
      out.message(i);
      open(out, messages.get(i).role());
      out.output(messages.get(i).content());
      close(out);
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
