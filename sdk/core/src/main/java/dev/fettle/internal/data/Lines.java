package dev.fettle.internal.data;

import dev.fettle.InvalidInputException;
import dev.fettle.internal.FileErrors;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * The lines of a text file, decoded strictly, one at a time. Splits bytes rather than characters so that a wrong byte
 * is reported in its own line. A file that nobody reads on or closes is closed when the garbage collector finds it.
 */
public final class Lines {
  static final int LONGEST = 64 << 20;

  private final Path file;
  private final Opened opened;
  private final CharsetDecoder decoder = StandardCharsets.UTF_8.newDecoder();
  private final byte[] chunk = new byte[1 << 16];
  private int start;
  private int end;
  private boolean ended;
  private long number;

  /** Opens a file. */
  public Lines(Path file) {
    this.file = file;
    this.opened = new Opened(this, file);
  }

  /** The next line without its end; {@code null} at the end of the file, which is then closed. */
  public String next() {
    if (ended) {
      return null;
    }
    byte[] parts = null;
    int length = 0;
    number++;
    while (true) {
      if (start == end && !fill()) {
        ended = true;
        close();
        return parts == null ? null : decode(parts, 0, length);
      }
      int stop = start;
      while (stop < end && chunk[stop] != '\n') {
        stop++;
      }
      int more = stop - start;
      boolean whole = stop < end;
      int from = start;
      start = whole ? stop + 1 : stop;
      if (whole && parts == null) {
        return decode(chunk, from, more);
      }
      if (length + more > LONGEST) {
        throw wrong("longer than " + (LONGEST >> 20) + " MiB");
      }
      parts = parts == null ? new byte[Math.max(1024, 2 * more)]
          : length + more > parts.length ? Arrays.copyOf(parts, 2 * (length + more)) : parts;
      System.arraycopy(chunk, from, parts, length, more);
      length += more;
      if (whole) {
        return decode(parts, 0, length);
      }
    }
  }

  private boolean fill() {
    try {
      start = 0;
      end = Math.max(0, opened.stream().read(chunk));
      return end > 0;
    } catch (IOException e) {
      end = 0;
      close();
      if (Files.isDirectory(file)) {
        throw FileErrors.unread(file, e);
      }
      throw new InvalidInputException(origin() + ": the file cannot be read further: " + FileErrors.reason(file, e), e);
    }
  }

  private String decode(byte[] bytes, int from, int length) {
    ByteBuffer input = ByteBuffer.wrap(bytes, from, length);
    CharBuffer text = CharBuffer.allocate(length);
    CoderResult result = decoder.reset().decode(input, text, true);
    if (result.isError()) {
      int at = input.position() - from;
      boolean gzip = number == 1 && at == 1 && bytes[from] == 0x1f;
      throw wrong(String.format("byte %d (0x%02X) is not UTF-8", at + 1, bytes[from + at])
          + (gzip ? "; the file is compressed: let its name end in .gz" : "; save the file as UTF-8"));
    }
    text.flip();
    if (number == 1 && text.length() > 0 && text.charAt(0) == '\uFEFF') {
      text.position(1);
    }
    return text.toString();
  }

  private InvalidInputException wrong(String what) {
    close();
    return new InvalidInputException(origin() + ": " + what);
  }

  /** The number of the line given last, from 1. */
  long number() {
    return number;
  }

  /** Where the line given last is: {@code train.jsonl:17}. */
  public String origin() {
    return file + ":" + number;
  }

  /** Closes the file before its end. Idempotent. */
  public void close() {
    opened.close();
  }
}
