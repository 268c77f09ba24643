package dev.fettle.internal.compare;

import dev.fettle.FettleException;
import dev.fettle.Training;
import dev.fettle.internal.FileErrors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.stream.Stream;

/** How large what a training saves is. */
public final class Artefact {
  private Artefact() {}

  /**
   * Saves what a training learnt, counts its bytes, and deletes it.
   *
   * @param adapter whether the adapter alone is saved, or else the whole model
   * @param directory for a while
   */
  public static long bytes(Training training, boolean adapter, Path directory) {
    if (adapter) {
      training.saveAdapter(directory);
    } else {
      training.saveMerged(directory);
    }
    try (Stream<Path> files = Files.walk(directory)) {
      long bytes = 0;
      for (Path path : files.sorted(Comparator.reverseOrder()).toList()) {
        bytes += Files.isRegularFile(path) ? Files.size(path) : 0;
        Files.delete(path);
      }
      return bytes;
    } catch (IOException e) {
      throw new FettleException(directory + ": cannot be measured and deleted: " + FileErrors.reason(directory, e), e);
    }
  }
}
