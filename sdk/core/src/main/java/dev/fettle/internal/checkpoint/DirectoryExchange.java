package dev.fettle.internal.checkpoint;

import com.sun.jna.LastErrorException;
import com.sun.jna.Library;
import com.sun.jna.Native;
import java.nio.file.Path;

/**
 * Swaps two directories in one step with Linux's {@code renameat2(RENAME_EXCHANGE)}: the only way to replace a
 * directory without a moment at which its name is missing. The only user of JNA, which DJL brings.
 */
final class DirectoryExchange {
  private static final int AT_FDCWD = -100;
  private static final int RENAME_EXCHANGE = 2;

  /** C library functions, as JNA binds them. */
  interface LibC extends Library {
    int renameat2(int oldDirectory, String oldPath, int newDirectory, String newPath, int flags)
        throws LastErrorException;
  }

  private DirectoryExchange() {}

  /** Swaps the two; false if this system or file system cannot, and then nothing has changed. */
  static boolean swap(Path first, Path second) {
    LibC libc = Holder.LIBC;
    if (libc == null) {
      return false;
    }
    try {
      String a = first.toAbsolutePath().toString();
      String b = second.toAbsolutePath().toString();
      return libc.renameat2(AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE) == 0;
    } catch (LastErrorException | UnsatisfiedLinkError e) {
      return false;
    }
  }

  private static final class Holder {
    static final LibC LIBC = load();

    private static LibC load() {
      if (!System.getProperty("os.name", "").equals("Linux")) {
        return null;
      }
      try {
        return Native.load("c", LibC.class);
      } catch (LinkageError | RuntimeException e) {
        return null;
      }
    }
  }
}
