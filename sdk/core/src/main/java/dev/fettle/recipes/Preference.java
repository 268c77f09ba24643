package dev.fettle.recipes;

import dev.fettle.Conversation;
import dev.fettle.Dataset;
import dev.fettle.InvalidInputException;
import dev.fettle.Message;
import dev.fettle.Text;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * Two answers to a prompt, one of which is better. Immutable.
 *
 * @param prompt the chat up to the answers
 * @param chosen the better answer
 * @param rejected the worse answer
 */
public record Preference(Conversation prompt, Message chosen, Message rejected) {
  public Preference {
    Objects.requireNonNull(prompt, "prompt");
    Objects.requireNonNull(chosen, "chosen");
    Objects.requireNonNull(rejected, "rejected");
  }

  /** Two answers to a user's message. */
  public static Preference of(String prompt, String chosen, String rejected) {
    return new Preference(Conversation.of(Message.user(Objects.requireNonNull(prompt, "prompt"))),
        Message.assistant(Objects.requireNonNull(chosen, "chosen")),
        Message.assistant(Objects.requireNonNull(rejected, "rejected")));
  }

  /**
   * A file of JSON Lines {@code {"prompt": "...", "chosen": "...", "rejected": "..."}}, read whole.
   *
   * @throws InvalidInputException if the file is missing or a line is wrong; the message names file and line
   */
  public static List<Preference> jsonl(Path file) {
    List<Preference> all = new ArrayList<>();
    // A dataset reads the lines, so that errors name file and line; its examples are not used.
    Dataset.jsonl(file, line -> {
      all.add(of(text(line, "prompt"), text(line, "chosen"), text(line, "rejected")));
      return new Text("read");
    }).count();
    return List.copyOf(all);
  }

  private static String text(Map<String, Object> line, String key) {
    if (line.get(key) instanceof String text) {
      return text;
    }
    throw new InvalidInputException("\"" + key + "\" must be a text, is " + line.get(key));
  }

  @Override
  public String toString() {
    return "Preference[" + prompt.messages().size() + " messages, " + chosen.content().length() + " or "
        + rejected.content().length() + " characters]";
  }
}
