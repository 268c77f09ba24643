package dev.fettle.internal.checkpoint;

import dev.fettle.InvalidInputException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * The list of the files that a save put into a directory, kept in the directory itself. A directory that holds
 * anything else is never replaced, {@link Keepsakes} aside.
 */
final class Inventory {
  static final String NAME = ".fettle-files";

  private Inventory() {}

  /** Writes the list of all that is in the directory. */
  static void write(Path directory) throws IOException {
    Set<String> names = new TreeSet<>();
    try (Stream<Path> all = Files.walk(directory)) {
      all.filter(path -> !path.equals(directory)).forEach(path -> names.add(relative(directory, path)));
    }
    Files.write(directory.resolve(NAME), names, StandardCharsets.UTF_8);
  }

  /** Refuses a directory that holds anything that is not on its list and no keepsake; an empty one is fine. */
  static void requireOurs(Path directory) throws IOException {
    Set<String> ours = read(directory);
    try (Stream<Path> all = Files.walk(directory)) {
      all.filter(path -> !path.equals(directory) && !(path.getParent().equals(directory) && Keepsakes.is(path)))
          .map(path -> relative(directory, path))
          .filter(name -> !ours.contains(name))
          .findFirst()
          .ifPresent(
              foreign -> {
                throw new InvalidInputException(
                    directory + ": not replaced: it holds " + Quote.line(foreign)
                        + ", which Fettle did not write; save to another directory or empty this one");
              });
    }
  }

  private static Set<String> read(Path directory) throws IOException {
    Path list = directory.resolve(NAME);
    if (!Files.isRegularFile(list, LinkOption.NOFOLLOW_LINKS)) {
      return Set.of();
    }
    List<String> lines = Files.readAllLines(list, StandardCharsets.UTF_8);
    Set<String> names = new TreeSet<>(lines);
    names.add(NAME);
    return names;
  }

  private static String relative(Path directory, Path path) {
    return directory.relativize(path).toString().replace('\\', '/');
  }
}
