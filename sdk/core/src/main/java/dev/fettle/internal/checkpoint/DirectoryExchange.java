package dev.fettle.internal.checkpoint;

import com.sun.jna.LastErrorException;
import java.nio.file.Path;

/**
 * Swaps two directories in one step with Linux's {@code renameat2(RENAME_EXCHANGE)}: the only way to replace a
 * directory without a moment at which its name is missing.
 */
final class DirectoryExchange {
  private static final int AT_FDCWD = -100;
  private static final int RENAME_EXCHANGE = 2;

  private DirectoryExchange() {}

  /** Swaps the two; false if this system or file system cannot, and then nothing has changed. */
  static boolean swap(Path first, Path second) {
    if (LibC.LINUX == null) {
      return false;
    }
    try {
      String a = first.toAbsolutePath().toString();
      String b = second.toAbsolutePath().toString();
      return LibC.LINUX.renameat2(AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE) == 0;
    } catch (LastErrorException | UnsatisfiedLinkError e) {
      return false;
    }
  }
}
