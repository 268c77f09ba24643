package dev.fettle.internal.gguf;

import dev.fettle.InvalidInputException;
import dev.fettle.internal.checkpoint.Quote;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/**
 * Reads the head of a GGUF from its beginning on. No number in the file is believed before what it counts is known to fit into
 * the rest of the file, so that a broken one costs no memory.
 */
final class HeaderReader {
  private static final int WINDOW = 1 << 16;
  private static final int MAX_KEY = 1 << 16;
  private static final int MAX_TEXT = 1 << 28;

  private final Path path;
  private final FileChannel channel;
  private final long size;
  private final ByteBuffer window = ByteBuffer.allocate(WINDOW).order(ByteOrder.LITTLE_ENDIAN).limit(0);
  private long read;

  HeaderReader(Path path, FileChannel channel, long size) {
    this.path = path;
    this.channel = channel;
    this.size = size;
  }

  /** The bytes that are behind. */
  long position() {
    return read - window.remaining();
  }

  private ByteBuffer next(int bytes, String what) throws IOException {
    require(bytes, what);
    if (window.remaining() < bytes) {
      window.compact();
      while (window.position() < bytes) {
        int got = channel.read(window, read);
        if (got < 0) {
          throw truncated(what);
        }
        read += got;
      }
      window.flip();
    }
    return window;
  }

  private void require(long bytes, String what) {
    if (bytes > size - position()) {
      throw truncated(what);
    }
  }

  private InvalidInputException truncated(String what) {
    return new InvalidInputException(path + ": " + what + " reaches beyond the end of the file at byte " + size
        + "; truncated? Download or write it again");
  }

  int int32(String what) throws IOException {
    return next(Integer.BYTES, what).getInt();
  }

  long int64(String what) throws IOException {
    return next(Long.BYTES, what).getLong();
  }

  /** A number of things, each of which takes so many bytes at least. */
  int count(String what, int leastBytes) throws IOException {
    long count = int64("the number of " + what);
    if (count < 0 || count > Integer.MAX_VALUE - 8 || count > (size - position()) / leastBytes) {
      throw new InvalidInputException(path + ": the head speaks of " + Long.toUnsignedString(count) + " " + what
          + ", more than the file of " + size + " bytes can hold; truncated or broken");
    }
    return (int) count;
  }

  String key(String what) throws IOException {
    return text(what, MAX_KEY);
  }

  String text(String what) throws IOException {
    return text(what, MAX_TEXT);
  }

  private String text(String what, int most) throws IOException {
    int length = count("bytes of " + what, 1);
    if (length > most) {
      throw new InvalidInputException(path + ": " + what + " has " + length + " bytes; at most " + most + " are sensible");
    }
    ByteBuffer bytes = ByteBuffer.allocate(length);
    while (bytes.hasRemaining()) {
      ByteBuffer piece = next(Math.min(bytes.remaining(), WINDOW), what);
      int taken = Math.min(bytes.remaining(), piece.remaining());
      bytes.put(piece.slice(piece.position(), taken));
      piece.position(piece.position() + taken);
    }
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(bytes.flip()).toString();
    } catch (CharacterCodingException e) {
      throw new InvalidInputException(path + ": " + what + " is not UTF-8: " + Quote.line(new String(bytes.array(),
          StandardCharsets.UTF_8)), e);
    }
  }

  Metadata.Value value(String key) throws IOException {
    ValueType type = type(key);
    return type == ValueType.ARRAY ? array(key) : new Metadata.Value(type, scalar(type, key));
  }

  private ValueType type(String key) throws IOException {
    int id = int32("the type of " + key);
    return ValueType.of(id).orElseThrow(() -> new InvalidInputException(path + ": " + key + " is of the type " + id
        + ", which no GGUF knows"));
  }

  private Object scalar(ValueType type, String key) throws IOException {
    if (type.isWhole()) {
      return whole(type, key);
    }
    return switch (type) {
      case F32, F64 -> number(type, key);
      case BOOL -> flag(key);
      case STRING -> text(key);
      default -> throw new InvalidInputException(path + ": " + key + " is a list of lists, which has no meaning here");
    };
  }

  private long whole(ValueType type, String key) throws IOException {
    ByteBuffer from = next(type.leastBytes(), key);
    return switch (type) {
      case U8 -> from.get() & 0xFF;
      case I8 -> from.get();
      case U16 -> from.getShort() & 0xFFFF;
      case I16 -> from.getShort();
      case U32 -> from.getInt() & 0xFFFFFFFFL;
      case I32 -> from.getInt();
      default -> from.getLong();
    };
  }

  private double number(ValueType type, String key) throws IOException {
    ByteBuffer from = next(type.leastBytes(), key);
    return type == ValueType.F32 ? from.getFloat() : from.getDouble();
  }

  private boolean flag(String key) throws IOException {
    int flag = next(1, key).get();
    if (flag != 0 && flag != 1) {
      throw new InvalidInputException(path + ": " + key + " is " + flag + " where true (1) or false (0) must be");
    }
    return flag == 1;
  }

  private Metadata.Value array(String key) throws IOException {
    ValueType type = type(key);
    int count = count("values of " + key, type.leastBytes());
    if (type.isWhole()) {
      long[] all = new long[count];
      for (int i = 0; i < count; i++) {
        all[i] = whole(type, key);
      }
      return new Metadata.Value(type, all);
    }
    return new Metadata.Value(type, switch (type) {
      case F32, F64 -> {
        double[] all = new double[count];
        for (int i = 0; i < count; i++) {
          all[i] = number(type, key);
        }
        yield all;
      }
      case BOOL -> {
        boolean[] all = new boolean[count];
        for (int i = 0; i < count; i++) {
          all[i] = flag(key);
        }
        yield all;
      }
      default -> {
        String[] all = new String[count];
        for (int i = 0; i < count; i++) {
          all[i] = (String) scalar(type == ValueType.STRING ? type : ValueType.ARRAY, key);
        }
        yield all;
      }
    });
  }
}
