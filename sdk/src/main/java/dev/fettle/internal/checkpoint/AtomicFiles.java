package dev.fettle.internal.checkpoint;

import dev.fettle.FettleException;
import dev.fettle.InvalidInputException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
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
 * <p>Only directories whose whole content an earlier save wrote are replaced, see {@link Inventory}. What killed
 * processes left behind is deleted by the next save of the same target. Thread-safe; two processes that save the same
 * directory at a time are safe where directories can be swapped, and the last one wins.
 */
public final class AtomicFiles {
  private static final boolean WINDOWS = System.getProperty("os.name", "").startsWith("Windows");
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
      throw new FettleException(target + ": cannot be saved: " + e, e);
    } finally {
      discard(temporary);
    }
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
      requireReplaceable(directory);
      Files.createDirectories(directory.getParent());
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
      synchronized (RENAMES) {
        putInPlace(temporary, directory, maySwap);
      }
      force(directory.getParent());
    } catch (IOException | UncheckedIOException e) {
      throw new FettleException(target + ": cannot be saved: " + e, e);
    } finally {
      discard(temporary);
    }
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
          throw new FettleException(target + ": an interrupted save cannot be finished: " + e, e);
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
  private static Path real(Path target) {
    Objects.requireNonNull(target, "target");
    Path absolute = target.toAbsolutePath();
    try {
      absolute = Files.exists(absolute) ? absolute.toRealPath() : absolute.normalize();
      if (absolute.getParent() == null) {
        throw new InvalidInputException(target + ": cannot be replaced; name a directory below it");
      }
      return absolute;
    } catch (IOException e) {
      throw new FettleException(target + ": cannot be resolved: " + e, e);
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
