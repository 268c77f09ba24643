package dev.fettle.internal.checkpoint;

import dev.fettle.InvalidInputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** What a directory holds; where that is not what was asked for, the error says what it is and where to look. */
public final class Contents {
  private static final int DEPTH = 2;

  private Contents() {}

  /** What a file in a directory makes it. */
  public enum Kind {
    /** A training state. */
    STATE("state.json", "a training state", "go on with it by Fettle.resume"),
    /** An adapter in PEFT's layout. */
    ADAPTER("adapter_config.json", "an adapter", "load its base model, then tune(Lora.from(...))"),
    /** A model in Hugging Face layout. */
    MODEL("config.json", "a model in Hugging Face layout", "load it with Fettle.load");

    final String file;
    private final String name;
    private final String use;

    Kind(String file, String name, String use) {
      this.file = file;
      this.name = name;
      this.use = use;
    }
  }

  /**
   * Refuses what is not such a directory.
   *
   * @throws InvalidInputException that says what is there instead
   */
  static void require(OpenDirectory files, Kind kind) {
    if (!files.lists(kind.file)) {
      throw new InvalidInputException(files.path() + ": holds " + instead(files, kind));
    }
  }

  private static String instead(OpenDirectory files, Kind kind) {
    for (Kind other : Kind.values()) {
      if (other != kind && files.lists(other.file)) {
        return other.name + " and not " + kind.name + ", which needs " + kind.file + ": " + other.use;
      }
    }
    List<Path> below = below(files.path(), kind.file);
    String none = "no " + kind.file + ", so not " + kind.name;
    return below.isEmpty() ? none
        : none + "; there is one in " + below.get(0) + (below.size() > 1 ? " and others beside it" : "") + ": name that";
  }

  /** Where such a file lies further down, as PEFT saves adapters that have names. */
  private static List<Path> below(Path directory, String file) {
    try (Stream<Path> all = Files.find(directory, DEPTH + 1, (path, attributes) -> path.endsWith(file))) {
      return all.map(Path::getParent).sorted().toList();
    } catch (IOException | java.io.UncheckedIOException e) {
      return List.of();
    }
  }
}
