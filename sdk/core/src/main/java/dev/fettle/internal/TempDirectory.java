package dev.fettle.internal;

import dev.fettle.FettleException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.stream.Stream;

/** A temporary directory that is gone with all it holds when this is closed. */
public final class TempDirectory implements AutoCloseable {
  private final Path directory;

  /** Makes a directory in the system's place for temporary files. */
  public TempDirectory() {
    try {
      directory = Files.createTempDirectory("fettle");
    } catch (IOException e) {
      throw new FettleException("no temporary directory could be made in " + System.getProperty("java.io.tmpdir") + ": "
          + FileErrors.reason(Path.of(System.getProperty("java.io.tmpdir")), e) + "; set java.io.tmpdir", e);
    }
  }

  /** A path within. */
  public Path resolve(String name) {
    return directory.resolve(name);
  }

  @Override
  public void close() {
    try (Stream<Path> files = Files.walk(directory)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(file);
      }
    } catch (IOException e) {
      throw new FettleException(directory + ": the temporary directory could not be deleted: " + FileErrors.reason(directory, e), e);
    }
  }
}
