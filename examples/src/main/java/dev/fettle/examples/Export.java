//JAVA 17+
//DEPS dev.fettle:fettle-examples:0.1.0-SNAPSHOT

package dev.fettle.examples;

import dev.fettle.BaseModel;
import dev.fettle.Destination;
import dev.fettle.Fettle;
import dev.fettle.GgufType;
import dev.fettle.InvalidInputException;
import dev.fettle.Lora;
import dev.fettle.Tokenizer;
import dev.fettle.internal.FileErrors;
import dev.fettle.internal.checkpoint.AtomicFiles;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

/** Writes a model, with an adapter or without, as one file for llama.cpp and Ollama. */
public final class Export {
  private static final String NOTE = "# Written by Fettle";
  private static final Command COMMAND = new Command("Export",
      "Writes a model as a GGUF for llama.cpp and Ollama, with an adapter folded in or, with --adapter-only yes, the adapter\n"
          + "  alone; the last line is the file.")
      .requires(Option.MODEL, Option.GGUF)
      .takes(Option.TYPE, "f16")
      .takes(Option.ADAPTER_ONLY, "no")
      .takes(Option.OLLAMA, "no")
      .takes(Option.ADAPTER, Option.DTYPE);

  private Export() {}

  public static void main(String[] args) {
    Command.exit(run(args, Command.utf8(System.out), Command.utf8(System.err)));
  }

  static int run(String[] args, PrintStream out, PrintStream err) {
    return COMMAND.run(args, out, err, Export::export);
  }

  private static void export(Options options, PrintStream out) {
    boolean adapterOnly = options.text(Option.ADAPTER_ONLY).equals("yes");
    if (adapterOnly) {
      options.needs(Option.ADAPTER);
    }
    boolean ollama = options.text(Option.OLLAMA).equals("yes");
    Path file = options.path(Option.GGUF);
    Path modelfile = file.toAbsolutePath().resolveSibling("Modelfile");
    if (ollama) {
      requireOurs(modelfile);
    }
    try (Destination place = Destination.file(file); Fettle fettle = Fettle.local()) {
      BaseModel model = options.load(fettle);
      if (adapterOnly) {
        model.tune(Lora.from(options.path(Option.ADAPTER))).saveGgufAdapter(place.path());
      } else {
        GgufType type = GgufType.valueOf(options.text(Option.TYPE).toUpperCase(Locale.ROOT));
        if (options.has(Option.ADAPTER)) {
          model.tune(Lora.from(options.path(Option.ADAPTER))).saveGguf(place.path(), type);
        } else {
          model.saveGguf(place.path(), type);
        }
      }
      if (ollama) {
        write(modelfile, modelfile(model, file, adapterOnly));
        out.println(modelfile);
      }
      out.println(file);
    }
  }

  /** What Ollama makes a model of; it knows chat templates by what the GGUF holds, so that none is repeated here. */
  private static String modelfile(BaseModel model, Path file, boolean adapterOnly) {
    StringBuilder text = new StringBuilder(NOTE + ": ollama create NAME -f Modelfile\n");
    if (adapterOnly) {
      text.append("# The base model: a directory, a GGUF, or a name of Ollama's for the same model.\n");
    }
    text.append("FROM ").append(adapterOnly ? Path.of(model.name()).toAbsolutePath() : "./" + file.getFileName()).append('\n');
    if (adapterOnly) {
      text.append("ADAPTER ./").append(file.getFileName()).append('\n');
    }
    Tokenizer tokenizer = model.tokenizer();
    model.renderer().stopTokens().stream().sorted().map(tokenizer::token).filter(token -> !token.isBlank()).distinct()
        .forEach(token -> text.append("PARAMETER stop \"").append(token.replace("\\", "\\\\").replace("\"", "\\\"")).append("\"\n"));
    return text.toString();
  }

  private static void requireOurs(Path modelfile) {
    try {
      if (Files.exists(modelfile) && !Files.readString(modelfile).startsWith(NOTE)) {
        throw new InvalidInputException(modelfile + ": not replaced: it is not of Fettle's; move it, or write the GGUF into another "
            + "directory");
      }
    } catch (IOException e) {
      throw FileErrors.unread(modelfile, e);
    }
  }

  private static void write(Path file, String text) {
    AtomicFiles.writeFile(file, channel -> {
      ByteBuffer bytes = ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
      while (bytes.hasRemaining()) {
        channel.write(bytes);
      }
    });
  }
}
