package dev.fettle.internal.checkpoint;

import dev.fettle.InvalidInputException;
import dev.fettle.internal.FileErrors;
import java.io.EOFException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.util.Arrays;
import java.util.Objects;

/** A file of an {@link OpenDirectory}, whatever its name leads to by now. Thread-safe. */
public final class OpenFile implements AutoCloseable {
  private static final int PIECE = 1 << 16;

  private final Path path;
  private final FileChannel channel;
  private final byte[] content;
  private final IOException failure;
  private final Object key;
  private final long size;
  private final FileTime written;

  private OpenFile(Path path, FileChannel channel, IOException failure, BasicFileAttributes attributes) {
    this.path = path;
    this.channel = channel;
    this.content = null;
    this.failure = failure;
    this.key = attributes.fileKey();
    this.size = attributes.size();
    this.written = attributes.lastModifiedTime();
  }

  private OpenFile(Path path, byte[] content) {
    this.path = path;
    this.channel = null;
    this.content = content;
    this.failure = null;
    this.key = null;
    this.size = content.length;
    this.written = FileTime.fromMillis(0);
  }

  /** What stands for a file, although it is in memory alone; settings and texts, not weights. */
  static OpenFile of(Path path, byte[] content) {
    return new OpenFile(path, content);
  }

  /** Opens a file; one that may not be read says so when it is. */
  static OpenFile open(Path path) throws IOException {
    BasicFileAttributes attributes = Files.readAttributes(path, BasicFileAttributes.class);
    try {
      return new OpenFile(path, FileChannel.open(path, StandardOpenOption.READ), null, attributes);
    } catch (NoSuchFileException e) {
      throw e;
    } catch (IOException e) {
      return new OpenFile(path, null, e, attributes);
    }
  }

  /** Its name, for messages. */
  public Path path() {
    return path;
  }

  /** Its size in bytes. */
  public long size() {
    return size;
  }

  FileChannel channel() {
    if (failure != null) {
      throw FileErrors.unread(path, failure);
    }
    return channel;
  }

  /** All of it. */
  public byte[] bytes() {
    if (content != null) {
      return content.clone();
    }
    // A channel is closed for good if the thread that reads is interrupted, be it long before.
    boolean interrupted = Thread.interrupted();
    try {
      ByteBuffer all = ByteBuffer.allocate(Math.toIntExact(channel().size()));
      while (all.hasRemaining() && channel.read(all, all.position()) >= 0) {
        continue;
      }
      return all.hasRemaining() ? Arrays.copyOf(all.array(), all.position()) : all.array();
    } catch (IOException e) {
      throw unreadable(e);
    } catch (ArithmeticException e) {
      throw new InvalidInputException(path + ": " + size + " bytes are too many to be read at once", e);
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /** Writes all of it to a stream. */
  public void writeTo(OutputStream out) throws IOException {
    if (content != null) {
      out.write(content);
      return;
    }
    ByteBuffer piece = ByteBuffer.allocate(PIECE);
    for (long at = 0; at < size; at += piece.position()) {
      int read = channel().read(piece.clear().limit((int) Math.min(PIECE, size - at)), at);
      if (read < 0) {
        throw new EOFException(path + " was shortened to " + at + " bytes while it was being read");
      }
      out.write(piece.array(), 0, read);
    }
  }

  /** All of it as UTF-8 text. */
  public String text() {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes())).toString();
    } catch (CharacterCodingException e) {
      throw unreadable(e);
    }
  }

  /** Whether something was written into the file since it was opened; one that took its name does not count. */
  public boolean isChanged() {
    try {
      BasicFileAttributes now = Files.readAttributes(path, BasicFileAttributes.class);
      return Objects.equals(now.fileKey(), key) && (now.size() != size || !now.lastModifiedTime().equals(written));
    } catch (IOException e) {
      return false;
    }
  }

  private InvalidInputException unreadable(IOException e) {
    return new InvalidInputException(path + ": cannot be read: " + FileErrors.reason(path, e), e);
  }

  @Override
  public void close() {
    if (channel != null) {
      FileErrors.close(path, channel);
    }
  }

  @Override
  public String toString() {
    return "OpenFile[" + path.getFileName() + "]";
  }
}
