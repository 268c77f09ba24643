//JAVA 17+
//DEPS dev.fettle:fettle-examples:0.1.0-SNAPSHOT

package dev.fettle.examples;

import dev.fettle.BaseModel;
import dev.fettle.Fettle;
import dev.fettle.internal.FileErrors;
import dev.fettle.ranking.Hit;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Puts the lines of a file into the order in which they answer a query, by a model that reads each together with it. */
public final class Rerank {
  private static final Command COMMAND = new Command("Rerank",
      "Prints the lines of the file that answer the query best, the best first, each after its score (a logit) and a tab.\n"
          + "  The model is a cross-encoder (ForSequenceClassification), a Qwen3-Reranker, or any language model, which is\n"
          + "  asked for yes or no.")
      .requires(Option.MODEL, Option.QUERY, Option.FILE)
      .takes(Option.TOP, "10")
      .takes(Option.DTYPE);

  private Rerank() {}

  public static void main(String[] args) {
    Command.exit(run(args, Command.utf8(System.out), Command.utf8(System.err)));
  }

  static int run(String[] args, PrintStream out, PrintStream err) {
    return COMMAND.run(args, out, err, Rerank::rerank);
  }

  private static void rerank(Options options, PrintStream out) {
    Path file = options.path(Option.FILE);
    List<String> lines;
    try {
      lines = Files.readAllLines(file);
    } catch (IOException e) {
      throw FileErrors.unread(file, e);
    }
    try (Fettle fettle = Fettle.local()) {
      BaseModel model = options.load(fettle);
      List<Hit> inFile = new ArrayList<>();
      for (int i = 0; i < lines.size(); i++) {
        inFile.add(new Hit(String.valueOf(i), -i));
      }
      Reranked ranked = new Reranked((query, count) -> inFile, model::score, i -> lines.get(Integer.parseInt(i)), lines.size());
      for (Hit hit : ranked.search(options.text(Option.QUERY), options.count(Option.TOP))) {
        out.println(String.format(Locale.ROOT, "%.4f\t%s", hit.score(), lines.get(Integer.parseInt(hit.document()))));
      }
    }
  }
}
