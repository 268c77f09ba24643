package dev.fettle.internal.checkpoint;

import dev.fettle.FettleException;
import dev.fettle.InvalidInputException;
import dev.fettle.internal.FileErrors;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.function.UnaryOperator;

/**
 * A safetensors file, memory-mapped piece by piece: of any size, with nothing on the Java heap but its header. The
 * header is validated as a whole by {@link #open}. Thread-safe; whoever opens it closes it. Buffers handed out stay
 * valid after closing. The file must not be shortened while it is open: reading a mapped page that is gone kills the
 * JVM, as with any memory-mapped file.
 */
public final class SafetensorsFile implements AutoCloseable {
  private static final int LENGTH_BYTES = 8;

  private final Path path;
  private final FileChannel channel;
  private final boolean owned;
  private final long dataStart;
  private final SafetensorsHeader header;

  private SafetensorsFile(Path path, FileChannel channel, boolean owned, long dataStart, SafetensorsHeader header) {
    this.path = path;
    this.channel = channel;
    this.owned = owned;
    this.dataStart = dataStart;
    this.header = header;
  }

  /**
   * Opens the file and validates its header against its size.
   *
   * @throws InvalidInputException if it is missing or anything in the header is wrong
   */
  public static SafetensorsFile open(Path path) {
    Objects.requireNonNull(path, "path");
    try {
      FileChannel channel = FileChannel.open(path, StandardOpenOption.READ);
      try {
        return read(path, channel, true);
      } catch (Throwable e) {
        channel.close();
        throw e;
      }
    } catch (IOException e) {
      throw FileErrors.unread(path, e);
    }
  }

  /** The same of a file that is open, and is closed by whoever opened it. */
  public static SafetensorsFile open(OpenFile file) {
    try {
      return read(file.path(), file.channel(), false);
    } catch (IOException e) {
      throw new InvalidInputException(file.path() + ": cannot be read: " + FileErrors.reason(file.path(), e), e);
    }
  }

  private static SafetensorsFile read(Path path, FileChannel channel, boolean owned) throws IOException {
    long size = channel.size();
    if (size < LENGTH_BYTES) {
      throw new InvalidInputException(path + ": " + size + " bytes are too few for a safetensors file; truncated?");
    }
    ByteBuffer prefix = readFully(path, channel, 0, LENGTH_BYTES);
    long length = prefix.order(ByteOrder.LITTLE_ENDIAN).getLong(0);
    if (length < 2 || length > SafetensorsHeader.MAX_BYTES) {
      throw new InvalidInputException(
          path + ": header length " + Long.toUnsignedString(length) + " is not from 2 to "
              + SafetensorsHeader.MAX_BYTES + "; not a safetensors file?");
    }
    if (length > size - LENGTH_BYTES) {
      throw new InvalidInputException(
          path + ": header length " + length + " reaches beyond the file of " + size + " bytes; truncated?");
    }
    ByteBuffer json = readFully(path, channel, LENGTH_BYTES, (int) length);
    long dataStart = LENGTH_BYTES + length;
    return new SafetensorsFile(path, channel, owned, dataStart, SafetensorsHeader.parse(path, json, size - dataStart));
  }

  private static ByteBuffer readFully(Path path, FileChannel channel, long from, int length) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(length);
    while (buffer.hasRemaining()) {
      if (channel.read(buffer, from + buffer.position()) < 0) {
        throw new InvalidInputException(path + ": ended at byte " + (from + buffer.position()) + " while being read");
      }
    }
    return buffer.flip();
  }

  /** The file. */
  public Path path() {
    return path;
  }

  /**
   * The same file with other names for its tensors; this one closes it.
   *
   * @throws InvalidInputException if two tensors get one name
   */
  public SafetensorsFile renamed(UnaryOperator<String> names) {
    Map<String, StoredTensor> out = new LinkedHashMap<>();
    header.tensors().forEach((name, t) -> {
      String now = names.apply(name);
      if (out.put(now, new StoredTensor(t.file(), now, t.type(), t.shape(), t.begin(), t.bytes())) != null) {
        throw new InvalidInputException(
            path + ": tensor " + Quote.line(name) + " is there twice, the other time as " + Quote.line(now));
      }
    });
    return new SafetensorsFile(path, channel, false, dataStart,
        new SafetensorsHeader(Collections.unmodifiableMap(out), header.metadata()));
  }

  /** All tensors by name, in the order in which they lie in the file. */
  public Map<String, StoredTensor> tensors() {
    return header.tensors();
  }

  /** The strings that the writer put into {@code __metadata__}; empty if none. */
  public Map<String, String> metadata() {
    return header.metadata();
  }

  /**
   * Maps a piece of a tensor: direct, read-only, little-endian, position 0, limit length.
   *
   * @param tensor one of {@link #tensors()}
   * @param from first byte of the piece, counted from the start of the tensor
   * @param length bytes of the piece
   * @throws InvalidInputException if the tensor is not of this file or the piece reaches beyond it
   */
  public ByteBuffer bytes(StoredTensor tensor, long from, int length) {
    Objects.requireNonNull(tensor, "tensor");
    if (!tensor.equals(header.tensors().get(tensor.name()))) {
      throw new InvalidInputException(path + ": tensor " + tensor.name() + " is not of this file");
    }
    if (from < 0 || length < 0 || from > tensor.bytes() - length) {
      throw new InvalidInputException(
          path + ": tensor " + tensor.name() + " has " + tensor.bytes() + " bytes; asked for " + length
              + " from byte " + from);
    }
    try {
      return channel
          .map(FileChannel.MapMode.READ_ONLY, dataStart + tensor.begin() + from, length)
          .order(ByteOrder.LITTLE_ENDIAN);
    } catch (ClosedChannelException e) {
      throw new FettleException(path + ": closed; open it again to read tensor " + tensor.name(), e);
    } catch (IOException e) {
      throw new FettleException(path + ": cannot map tensor " + tensor.name() + ": " + FileErrors.reason(path, e), e);
    }
  }

  @Override
  public void close() {
    if (owned) {
      FileErrors.close(path, channel);
    }
  }

  @Override
  public String toString() {
    return "SafetensorsFile[" + tensors().size() + " tensors]";
  }
}
