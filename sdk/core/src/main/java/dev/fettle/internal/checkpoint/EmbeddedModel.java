package dev.fettle.internal.checkpoint;

import dev.fettle.FettleException;
import dev.fettle.internal.FileErrors;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** The small model in the library's own jar, laid out as a directory once a process so that it can be mapped. */
public final class EmbeddedModel {
  /** The name that it is loaded by. */
  public static final String NAME = "fettle-tiny";
  private static final List<String> FILES = List.of("config.json", "generation_config.json", "tokenizer.json",
      "tokenizer_config.json", "model.safetensors");
  private static Path extracted;

  private EmbeddedModel() {}

  /** Its directory. */
  public static synchronized Path directory() {
    if (extracted == null || !Files.isDirectory(extracted)) {
      try {
        Path directory = Files.createTempDirectory(NAME);
        directory.toFile().deleteOnExit();
        for (String file : FILES) {
          Path target = directory.resolve(file);
          target.toFile().deleteOnExit();
          try (InputStream in = EmbeddedModel.class.getResourceAsStream("/dev/fettle/" + NAME + "/" + file)) {
            if (in == null) {
              throw new FettleException("the library's jar lacks " + NAME + "/" + file);
            }
            Files.copy(in, target);
          }
        }
        extracted = directory;
      } catch (IOException e) {
        throw new FettleException(NAME + " cannot be laid out in " + System.getProperty("java.io.tmpdir") + ": "
            + FileErrors.reason(Path.of(System.getProperty("java.io.tmpdir")), e) + "; set java.io.tmpdir", e);
      }
    }
    return extracted;
  }
}
