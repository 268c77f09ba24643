package dev.fettle.internal.text;

import dev.fettle.Conversation;
import dev.fettle.Message;
import dev.fettle.Tokenizer;
import java.util.List;
import java.util.Locale;

/** Roles in plain text, each message a paragraph. */
record RolesFormat() implements PiecesFormat {
  private static final String STOP = "\n\nUser:";

  @Override
  public String family() {
    return "roles";
  }

  @Override
  public List<String> needs() {
    return List.of();
  }

  @Override
  public void write(Conversation conversation, boolean generate, Pieces out) {
    Refusals.noTools(family(), conversation);
    Refusals.noReasoning(family(), conversation);
    if (out.tokenizer().addsBos()) {
      out.bos();
    }
    out.apart();
    List<Message> messages = conversation.messages();
    for (int i = 0; i < messages.size(); i++) {
      Message message = messages.get(i);
      String role = message.role();
      out.message(i).header(role.substring(0, 1).toUpperCase(Locale.ROOT) + role.substring(1) + ":");
      out.output(" " + message.content() + "\n\n");
      if (!generate && i == messages.size() - 1 && role.equals("assistant")) {
        // The end of the stop string: without it the model would not learn to stop.
        out.output("User:");
      }
    }
    if (generate) {
      out.message(Pieces.NOBODY).header("Assistant:");
    }
  }

  @Override
  public List<Integer> stopTokens(Tokenizer tokenizer) {
    return tokenizer.eos().stream().boxed().toList();
  }

  @Override
  public List<String> stopStrings() {
    return List.of(STOP);
  }

  @Override
  public Message parse(String text) {
    return Message.assistant(PythonText.strip(text));
  }
}
