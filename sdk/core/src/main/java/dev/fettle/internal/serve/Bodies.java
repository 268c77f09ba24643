package dev.fettle.internal.serve;

import com.sun.net.httpserver.HttpExchange;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipException;

/**
 * Reads what requests carry: no more of one than is permitted, and no more of all that are being read than fits into
 * memory. Thread-safe.
 */
final class Bodies {
  private static final int PIECE = 1 << 16;
  /** How much of a body that was refused is still read, so that its sender reads why instead of seeing a reset. */
  private static final long DISCARDED = 64L << 20;
  private static final long DISCARDING_NANOS = 2_000_000_000;

  private final int most;
  private final long together;
  private long held;

  Bodies(long most, long together) {
    this.most = (int) Math.min(Integer.MAX_VALUE - 16, most);
    this.together = together;
  }

  /**
   * Reads the body of a request; {@link #release} lets go of it.
   *
   * @throws Problem 400 if it was cut, 413 if it is too large, which is known from the header before any of it is read,
   *     429 if too many others are being read
   */
  byte[] read(HttpExchange exchange) throws IOException {
    long announced = announced(exchange);
    if (announced > most) {
      throw tooLarge("the request has " + announced + " bytes");
    }
    String encoding = exchange.getRequestHeaders().getFirst("Content-Encoding");
    boolean zipped = "gzip".equalsIgnoreCase(encoding);
    if (encoding != null && !zipped && !"identity".equalsIgnoreCase(encoding)) {
      throw new Problem(415, "content encoding " + encoding + " is not supported; gzip is, and none at all");
    }
    ByteArrayOutputStream body = new ByteArrayOutputStream((int) Math.max(0, Math.min(announced, PIECE)));
    try {
      copy(zipped, exchange.getRequestBody(), body);
      return body.toByteArray();
    } catch (ZipException e) {
      release(body.size());
      throw new Problem(422, "the body is not gzip: " + e.getMessage());
    } catch (IOException e) {
      release(body.size());
      throw Problem.invalid("the body was cut after " + body.size() + " bytes"
          + (announced < 0 ? "" : " of " + announced) + ": " + e.getMessage());
    } catch (RuntimeException | Error e) {
      release(body.size());
      throw e;
    }
  }

  private void copy(boolean zipped, InputStream raw, ByteArrayOutputStream body) throws IOException {
    InputStream in = zipped ? new GZIPInputStream(raw) : raw;
    byte[] piece = new byte[PIECE];
    for (int read = in.read(piece); read >= 0; read = in.read(piece)) {
      if (body.size() + (long) read > most) {
        throw tooLarge("the request has more than " + most + " bytes");
      }
      take(read);
      body.write(piece, 0, read);
    }
  }

  private Problem tooLarge(String what) {
    return new Problem(413, what + "; this server takes at most " + most + ": send the batch in smaller chunks");
  }

  private static long announced(HttpExchange exchange) {
    String length = exchange.getRequestHeaders().getFirst("Content-Length");
    try {
      return length == null ? -1 : Long.parseLong(length.strip());
    } catch (NumberFormatException e) {
      throw Problem.invalid("Content-Length is \"" + length + "\": give a number of bytes");
    }
  }

  private synchronized void take(long bytes) {
    if (held + bytes > together) {
      throw new Problem(429, "the requests that are being read take " + (held >> 20) + " MiB already. Try again once "
          + "they are taken on");
    }
    held += bytes;
  }

  synchronized void release(long bytes) {
    held -= bytes;
  }

  /** Reads on, for a while, what nobody wants. */
  static void discard(HttpExchange exchange) throws IOException {
    byte[] piece = new byte[PIECE];
    long end = System.nanoTime() + DISCARDING_NANOS;
    InputStream in = exchange.getRequestBody();
    for (long left = DISCARDED; left > 0 && System.nanoTime() < end;) {
      int read = in.read(piece);
      if (read < 0) {
        return;
      }
      left -= read;
    }
  }
}
