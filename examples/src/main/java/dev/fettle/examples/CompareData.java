//JAVA 17+
//DEPS dev.fettle:fettle-examples:0.1.0-SNAPSHOT

package dev.fettle.examples;

import dev.fettle.Conversation;
import dev.fettle.InvalidInputException;
import dev.fettle.Message;
import dev.fettle.examples.tiny.Corpus;
import dev.fettle.examples.tiny.TicketTask;
import dev.fettle.internal.FileErrors;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import tools.jackson.databind.json.JsonMapper;

/** Writes the data of the recorded comparisons: the quickstart's task, and a text file cut into pieces. */
public final class CompareData {
  private static final JsonMapper JSON = new JsonMapper();
  private static final int TRAINING = 1000;
  private static final int VALIDATION = 100;
  private static final int TEST = 200;
  /** Unlike that of the pre-training. */
  private static final long OTHER_SEED = 4242;
  /** Characters of a piece of text, which ends with its paragraph. */
  private static final int PIECE = 300;

  private static final Command COMMAND = new Command("CompareData",
      "Writes tickets-train.jsonl, -validation, -test and outside.jsonl (what fettle-tiny was pre-trained on, other\n"
          + "  examples); with --file also text-train.jsonl, -validation and -test, its pieces in turn.")
      .requires(Option.OUT)
      .takes(Option.FILE);

  private CompareData() {}

  public static void main(String[] args) {
    Command.exit(run(args, Command.utf8(System.out), Command.utf8(System.err)));
  }

  static int run(String[] args, PrintStream out, PrintStream err) {
    return COMMAND.run(args, out, err, CompareData::write);
  }

  private static void write(Options options, PrintStream out) {
    Path directory = options.path(Option.OUT);
    try {
      Files.createDirectories(directory);
      List<Conversation> tickets = TicketTask.train(TRAINING + VALIDATION, 1);
      chats(directory.resolve("tickets-train.jsonl"), tickets.subList(0, TRAINING));
      chats(directory.resolve("tickets-validation.jsonl"), tickets.subList(TRAINING, TRAINING + VALIDATION));
      chats(directory.resolve("tickets-test.jsonl"), TicketTask.heldOut(TEST, 1));
      chats(directory.resolve("outside.jsonl"), Corpus.stream(OTHER_SEED).limit(TEST).toList());
      if (options.has(Option.FILE)) {
        text(options.path(Option.FILE), directory);
      }
    } catch (IOException e) {
      throw FileErrors.unsaved(directory, e);
    }
    out.println(directory);
  }

  /** The last pieces are the test, those before them the validation: no scene is in two of them but at the seams. */
  private static void text(Path file, Path directory) throws IOException {
    List<String> pieces = new ArrayList<>();
    StringBuilder piece = new StringBuilder();
    for (String paragraph : Files.readString(file).split("\n\n")) {
      piece.append(piece.isEmpty() ? "" : "\n\n").append(paragraph);
      if (piece.length() >= PIECE) {
        pieces.add(JSON.writeValueAsString(Map.of("text", piece.toString())));
        piece.setLength(0);
      }
    }
    if (pieces.size() < 2 * (VALIDATION + TEST)) {
      throw new InvalidInputException(file + " has only " + pieces.size() + " pieces of " + PIECE + " characters");
    }
    int test = pieces.size() - TEST;
    lines(directory.resolve("text-train.jsonl"), pieces.subList(0, test - VALIDATION));
    lines(directory.resolve("text-validation.jsonl"), pieces.subList(test - VALIDATION, test));
    lines(directory.resolve("text-test.jsonl"), pieces.subList(test, pieces.size()));
  }

  private static void chats(Path file, List<Conversation> chats) throws IOException {
    lines(file, chats.stream().map(chat -> JSON.writeValueAsString(Map.of("messages", chat.messages().stream()
        .map(CompareData::message).toList()))).toList());
  }

  private static Map<String, String> message(Message message) {
    return Map.of("role", message.role(), "content", message.content());
  }

  private static void lines(Path file, List<String> lines) throws IOException {
    Files.writeString(file, lines.stream().collect(Collectors.joining("\n", "", "\n")));
  }
}
