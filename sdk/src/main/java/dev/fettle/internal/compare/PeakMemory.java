package dev.fettle.internal.compare;

import dev.fettle.internal.Status;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The most memory that this process had, where the system tells (Linux). */
final class PeakMemory {
  private PeakMemory() {}

  /** Lets it begin anew where the system can; elsewhere it only grows. */
  static void forget() {
    System.gc();
    try {
      Files.writeString(Path.of("/proc/self/clear_refs"), "5");
    } catch (IOException e) {
      return;
    }
  }

  /** In bytes; -1 where the system does not say. */
  static long bytes() {
    return Status.peakBytes();
  }
}
