//JAVA 17+
//DEPS dev.fettle:fettle-examples:0.1.0-SNAPSHOT

package dev.fettle.examples;

import dev.fettle.BaseModel;
import dev.fettle.Fettle;
import dev.fettle.internal.FileErrors;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.databind.json.JsonMapper;

/** Prints the vector of each line of a file: what an index takes, and what other implementations are compared with. */
public final class Embed {
  /** Lines that are embedded together. */
  private static final int AT_ONCE = 1024;
  private static final JsonMapper JSON = new JsonMapper();
  private static final Command COMMAND = new Command("Embed",
      "Prints for each line of the file, be it empty, its vector as a JSON array, computed in f32 unless told otherwise.")
      .requires(Option.MODEL, Option.FILE)
      .takes(Option.LENGTH, Option.DTYPE);

  private Embed() {}

  public static void main(String[] args) {
    Command.exit(run(args, Command.utf8(System.out), Command.utf8(System.err)));
  }

  static int run(String[] args, PrintStream out, PrintStream err) {
    return COMMAND.run(args, out, err, Embed::embed);
  }

  private static void embed(Options options, PrintStream out) {
    Path file = options.path(Option.FILE);
    try (BufferedReader lines = Files.newBufferedReader(file); Fettle fettle = Fettle.local()) {
      BaseModel model = options.load(fettle);
      List<String> texts = new ArrayList<>();
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        texts.add(line);
        if (texts.size() == AT_ONCE) {
          print(model, texts, options, out);
        }
      }
      print(model, texts, options, out);
    } catch (IOException e) {
      throw FileErrors.unread(file, e);
    }
  }

  private static void print(BaseModel model, List<String> texts, Options options, PrintStream out) {
    List<float[]> vectors = options.has(Option.LENGTH) ? model.embed(texts, options.count(Option.LENGTH))
        : model.embed(texts);
    vectors.forEach(v -> out.println(JSON.writeValueAsString(v)));
    texts.clear();
  }
}
