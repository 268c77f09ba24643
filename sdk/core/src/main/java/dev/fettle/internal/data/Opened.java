package dev.fettle.internal.data;

import dev.fettle.InvalidInputException;
import dev.fettle.internal.FileErrors;
import java.io.IOException;
import java.io.InputStream;
import java.lang.ref.Cleaner;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.GZIPInputStream;

/**
 * The bytes of a file, unpacked if its name ends in {@code .gz}. Closed when its owner is not read on or closed and the garbage
 * collector finds it.
 */
final class Opened {
  private static final Cleaner CLEANER = Cleaner.create();

  private final InputStream in;
  private final Cleaner.Cleanable closer;

  Opened(Object owner, Path file) {
    InputStream stream = stream(file);
    this.in = stream;
    this.closer = CLEANER.register(owner, () -> closeQuietly(stream));
  }

  /** Whether a file's text begins with a character, after white space and a byte order mark; a file of white space does not. */
  static boolean beginsWith(char first, Path file) {
    InputStream in = stream(file);
    try {
      for (int b = in.read(); b >= 0; b = in.read()) {
        if (b > ' ' && b != 0xEF && b != 0xBB && b != 0xBF) {
          return b == first;
        }
      }
      return false;
    } catch (IOException e) {
      // Whoever reads on meets it again, and says where.
      return false;
    } finally {
      closeQuietly(in);
    }
  }

  private static InputStream stream(Path file) {
    InputStream raw = null;
    try {
      raw = Files.newInputStream(file);
      return file.toString().endsWith(".gz") ? new GZIPInputStream(raw, 1 << 16) : raw;
    } catch (IOException e) {
      closeQuietly(raw);
      if (raw == null || Files.isDirectory(file)) {
        throw FileErrors.unread(file, e);
      }
      throw new InvalidInputException(file + " is not a whole gzip file, though its name ends in .gz: "
          + FileErrors.reason(file, e), e);
    }
  }

  private static void closeQuietly(InputStream stream) {
    try {
      if (stream != null) {
        stream.close();
      }
    } catch (IOException e) {
      // Nothing was written, so nothing is lost.
    }
  }

  InputStream stream() {
    return in;
  }

  /** Idempotent. */
  void close() {
    closer.clean();
  }
}
