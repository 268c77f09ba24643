package dev.fettle.internal.checkpoint;

import dev.fettle.FettleException;
import dev.fettle.InvalidInputException;
import dev.fettle.internal.FileErrors;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Objects;
import java.util.stream.Stream;

/**
 * Saves a file or a whole directory so that a kill at any moment leaves the old or the new one, whole, under its name:
 * written beside it, forced to disk, then renamed.
 *
 * <p>A directory that exists is swapped with the new one in one step where the system can (Linux). Elsewhere the new
 * one first gets a waiting name, then the old one is moved away, then the new one takes its place; a kill between the
 * last two leaves the waiting one, and {@link #recover}, which every reader here calls first, finishes the move.
 *
 * <p>Only directories whose whole content an earlier save wrote are replaced, see {@link Inventory}; a README and the
 * like, see {@link Keepsakes}, move along into the new one. What killed processes left behind is deleted by the next save
 * of the same target. Thread-safe; two processes that save the same directory at a time are safe where directories can be
 * swapped, and the last one wins. Whoever works long before a save calls {@link #rehearse} first, and takes a
 * {@link Claim}.
 */
public final class AtomicFiles {
  private static final boolean WINDOWS = System.getProperty("os.name", "").startsWith("Windows");
  /** No saved file has a longer name, so where this one fits, all do. */
  private static final String LONGEST_NAME = "model-00000-of-00000.safetensors";
  private static final Object RENAMES = new Object();

  private AtomicFiles() {}

  /** Writes the content of a file. */
  @FunctionalInterface
  public interface FileContent {
    void writeTo(FileChannel channel) throws IOException;
  }

  /** Writes the files of a directory into the given one, which is empty and has a temporary name. */
  @FunctionalInterface
  public interface DirectoryContent {
    void writeTo(Path directory) throws IOException;
  }

  /**
   * Writes or replaces a file. Missing parent directories are made.
   *
   * @throws InvalidInputException if the target is a directory
   * @throws FettleException if writing fails; the target is as it was
   */
  public static void writeFile(Path target, FileContent content) {
    Objects.requireNonNull(content, "content");
    Path file = real(target);
    if (Files.isDirectory(file)) {
      throw new InvalidInputException(target + ": is a directory; name a file");
    }
    Path temporary = Temporaries.claim(file);
    try {
      Files.createDirectories(file.getParent());
      Temporaries.clean(file);
      try (FileChannel channel =
          FileChannel.open(temporary, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
        content.writeTo(channel);
        channel.force(true);
      }
      Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE);
      force(file.getParent());
    } catch (IOException | UncheckedIOException e) {
      throw FileErrors.unsaved(target, e);
    } finally {
      discard(temporary);
    }
  }

  /** The same of a text, as UTF-8. */
  public static void writeText(Path target, String text) {
    writeFile(target, channel -> {
      ByteBuffer bytes = ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
      while (bytes.hasRemaining()) {
        channel.write(bytes);
      }
    });
  }

  /**
   * Writes or replaces a directory. Missing parent directories are made.
   *
   * @throws InvalidInputException if the target is a file, or a directory that holds what no earlier save wrote
   * @throws FettleException if writing fails; the target is as it was
   */
  public static void writeDirectory(Path target, DirectoryContent content) {
    writeDirectory(target, content, true);
  }

  static void writeDirectory(Path target, DirectoryContent content, boolean maySwap) {
    Objects.requireNonNull(content, "content");
    Path directory = real(target);
    recover(directory);
    Path temporary = Temporaries.claim(directory);
    try {
      prepare(directory);
      Temporaries.clean(directory);
      synchronized (RENAMES) {
        drop(directory, Temporaries.retired(directory));
        drop(directory, Temporaries.waiting(directory));
      }
      Files.createDirectory(temporary);
      content.writeTo(temporary);
      Inventory.write(temporary);
      forceAll(temporary);
      requireReplaceable(directory);
      for (Path kept : Keepsakes.copy(directory, temporary)) {
        if (Files.isRegularFile(kept, LinkOption.NOFOLLOW_LINKS)) {
          force(kept);
        }
      }
      synchronized (RENAMES) {
        putInPlace(temporary, directory, maySwap);
      }
      force(directory.getParent());
    } catch (IOException | UncheckedIOException e) {
      throw FileErrors.unsaved(target, e);
    } catch (FettleException e) {
      throw ofTarget(e, temporary, target);
    } finally {
      discard(temporary);
    }
  }

  /** An error of a file within a directory, by the name that the file was to have. */
  private static FettleException ofTarget(FettleException e, Path temporary, Path target) {
    String message = String.valueOf(e.getMessage());
    if (!message.contains(temporary.toString())) {
      return e;
    }
    String named = message.replace(temporary.toString(), target.toString());
    return e instanceof InvalidInputException ? new InvalidInputException(named, e) : new FettleException(named, e);
  }

  /**
   * Does all of {@link #writeDirectory} but the content and the last step: what would fail after long work fails now.
   *
   * @throws InvalidInputException with the reason, if nothing could be saved there
   */
  public static void rehearse(Path target) {
    Path directory = real(target);
    recover(directory);
    rehearse(target, directory, () -> {
      prepare(directory);
      if (MountPoints.contains(directory)) {
        throw new InvalidInputException(target + ": a file system is mounted there, so it cannot be replaced as a whole; "
            + "name a directory below it, such as " + target.resolve("adapter"));
      }
    });
  }

  /**
   * The same for a file.
   *
   * @throws InvalidInputException with the reason, if it could not be written
   */
  public static void rehearseFile(Path target) {
    Path file = real(target);
    rehearse(target, file, () -> {
      if (Files.isDirectory(file)) {
        throw new InvalidInputException(target + ": is a directory; name a file");
      }
      Files.createDirectories(file.getParent());
    });
  }

  /**
   * The same for files in a directory, which is made.
   *
   * @throws InvalidInputException with the reason, if none could be written
   */
  public static void rehearseWithin(Path target) {
    Path directory = real(target);
    rehearse(target, directory.resolve("file"), () -> {
      if (Files.exists(directory) && !Files.isDirectory(directory)) {
        throw new InvalidInputException(target + ": is a file; name a directory");
      }
      Files.createDirectories(directory);
    });
  }

  /**
   * Deletes a directory that an earlier save wrote, under another name, so that no part of it is found under its own.
   *
   * @throws InvalidInputException if it holds what no earlier save wrote
   */
  public static void delete(Path target) throws IOException {
    Path directory = real(target);
    if (Files.isDirectory(directory)) {
      Inventory.requireOurs(directory);
      drop(directory, directory);
    }
  }

  /** Deletes a directory in which there is nothing. */
  public static void deleteIfEmpty(Path directory) {
    try {
      Files.deleteIfExists(directory);
    } catch (IOException e) {
      return;
    }
  }

  private static void rehearse(Path target, Path real, Preparation preparation) {
    Path temporary = Temporaries.claim(real);
    Path inner = Temporaries.claim(temporary.resolve(LONGEST_NAME));
    try {
      preparation.run();
      Files.createDirectory(temporary);
      Files.write(inner, new byte[1]);
    } catch (IOException | UncheckedIOException e) {
      throw new InvalidInputException(target + ": cannot be written: " + FileErrors.whyUnsaved(real, e) + "; name another place",
          e);
    } finally {
      Temporaries.release(inner);
      discard(temporary);
    }
  }

  @FunctionalInterface
  private interface Preparation {
    void run() throws IOException;
  }

  private static void prepare(Path directory) throws IOException {
    requireReplaceable(directory);
    Files.createDirectories(directory.getParent());
  }

  /**
   * Finishes a replacement of the directory that a kill interrupted, on systems that cannot swap directories. Cheap
   * when there is nothing to do.
   */
  public static void recover(Path target) {
    if (Files.exists(target)) {
      return;
    }
    Path directory = real(target);
    Path waiting = Temporaries.waiting(directory);
    Path retired = Temporaries.retired(directory);
    synchronized (RENAMES) {
      try {
        if (!Files.exists(directory, LinkOption.NOFOLLOW_LINKS)) {
          Path whole = Files.isDirectory(waiting) ? waiting : retired;
          if (Files.isDirectory(whole)) {
            Files.move(whole, directory, StandardCopyOption.ATOMIC_MOVE);
            force(directory.getParent());
          }
        }
      } catch (IOException e) {
        // The save may be another process's, which was not interrupted and has just ended.
        if (!Files.exists(directory)) {
          throw new FettleException(target + ": an interrupted save cannot be finished: " + FileErrors.reason(target, e), e);
        }
      }
    }
  }

  private static void putInPlace(Path temporary, Path directory, boolean maySwap) throws IOException {
    if (!Files.exists(directory)) {
      Files.move(temporary, directory, StandardCopyOption.ATOMIC_MOVE);
      return;
    }
    if (maySwap && DirectoryExchange.swap(temporary, directory)) {
      return;
    }
    Path waiting = Temporaries.waiting(directory);
    Path retired = Temporaries.retired(directory);
    Files.move(temporary, waiting, StandardCopyOption.ATOMIC_MOVE);
    force(directory.getParent());
    try {
      Files.move(directory, retired, StandardCopyOption.ATOMIC_MOVE);
      Files.move(waiting, directory, StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      recover(directory);
      // A reader that met the gap between the two moves has made the second one.
      if (Files.exists(waiting) || !Files.exists(directory)) {
        throw e;
      }
    }
    force(directory.getParent());
    drop(directory, retired);
  }

  /** Deletes under a temporary name, so that a kill leaves nothing half-deleted that {@link #recover} would take. */
  private static void drop(Path directory, Path unneeded) throws IOException {
    if (Files.exists(unneeded, LinkOption.NOFOLLOW_LINKS)) {
      Path temporary = Temporaries.claim(directory);
      Files.move(unneeded, temporary, StandardCopyOption.ATOMIC_MOVE);
      discard(temporary);
    }
  }

  private static void requireReplaceable(Path directory) throws IOException {
    if (Files.isDirectory(directory)) {
      Inventory.requireOurs(directory);
    } else if (Files.exists(directory, LinkOption.NOFOLLOW_LINKS)) {
      throw new InvalidInputException(directory + ": is a file; name a directory");
    }
  }

  /** The absolute path with links followed, so that a link stays and what it points to is replaced. */
  static Path real(Path target) {
    Objects.requireNonNull(target, "target");
    Path absolute = target.toAbsolutePath();
    try {
      absolute = Files.exists(absolute) ? absolute.toRealPath() : absolute.normalize();
      if (absolute.getParent() == null) {
        throw new InvalidInputException(target + ": cannot be replaced; name a directory below it");
      }
      return absolute;
    } catch (IOException e) {
      throw new FettleException(target + ": cannot be resolved: " + FileErrors.reason(target, e), e);
    }
  }

  private static void forceAll(Path root) throws IOException {
    try (Stream<Path> all = Files.walk(root)) {
      for (Path path : (Iterable<Path>) all::iterator) {
        force(path);
      }
    }
  }

  private static void force(Path path) throws IOException {
    boolean directory = Files.isDirectory(path);
    if (directory && WINDOWS) {
      return;
    }
    try (FileChannel channel =
        FileChannel.open(path, directory ? StandardOpenOption.READ : StandardOpenOption.WRITE)) {
      channel.force(true);
    }
  }

  /** After success this is the old directory, after failure the unfinished one; the next save retries a failure. */
  private static void discard(Path temporary) {
    try {
      Temporaries.delete(temporary);
    } catch (IOException e) {
      // The save itself has succeeded or has its own error to report.
    } finally {
      Temporaries.release(temporary);
    }
  }
}
