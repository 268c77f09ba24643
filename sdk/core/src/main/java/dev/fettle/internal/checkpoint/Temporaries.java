package dev.fettle.internal.checkpoint;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Hidden siblings of a file or directory that is being saved. The name carries the process that writes it, so that
 * the leftovers of killed processes can be told from what a running one still needs.
 */
final class Temporaries {
  private static final AtomicLong COUNTER = new AtomicLong(System.nanoTime());
  private static final Set<String> LIVE = ConcurrentHashMap.newKeySet();

  private Temporaries() {}

  /** A new name beside the target; call {@link #release} when it is gone. */
  static Path claim(Path target) {
    String unique = ProcessHandle.current().pid() + "-" + Long.toHexString(COUNTER.incrementAndGet());
    Path path = target.resolveSibling(prefix(target) + unique);
    LIVE.add(path.getFileName().toString());
    return path;
  }

  static void release(Path temporary) {
    LIVE.remove(temporary.getFileName().toString());
  }

  /** The complete new directory that waits to take the target's place, where the two cannot be swapped. */
  static Path waiting(Path target) {
    return target.resolveSibling("." + target.getFileName() + ".fettle-new");
  }

  /** The directory that had the target's name before, where the two cannot be swapped. */
  static Path retired(Path target) {
    return target.resolveSibling("." + target.getFileName() + ".fettle-old");
  }

  /** Deletes what killed processes left beside the target. */
  static void clean(Path target) throws IOException {
    String prefix = prefix(target);
    try (DirectoryStream<Path> siblings =
        Files.newDirectoryStream(target.getParent(), path -> path.getFileName().toString().startsWith(prefix))) {
      for (Path sibling : siblings) {
        if (isDead(sibling, sibling.getFileName().toString().substring(prefix.length()))) {
          delete(sibling);
        }
      }
    }
  }

  private static boolean isDead(Path path, String unique) {
    if (!unique.matches("[0-9]{1,18}-[0-9a-f]{1,16}")) {
      return false;
    }
    long pid = Long.parseLong(unique.substring(0, unique.indexOf('-')));
    // A container's first process has the same number in each life: the set tells its own from its predecessor's.
    return pid == ProcessHandle.current().pid() ? !LIVE.contains(path.getFileName().toString()) : ProcessHandle.of(pid).isEmpty();
  }

  /** Whether a path is a target, above or below it, or below a temporary sibling of it. */
  static boolean isAbout(Path target, Path path) {
    return target.startsWith(path) || path.startsWith(target)
        || path.toString().startsWith(target.resolveSibling(prefix(target)).toString());
  }

  private static String prefix(Path target) {
    return "." + target.getFileName() + ".fettle-tmp-";
  }

  /** Deletes a file or a whole directory, without following links; a missing one is fine. */
  static void delete(Path path) throws IOException {
    if (!Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS)) {
      Files.deleteIfExists(path);
      return;
    }
    Files.walkFileTree(
        path,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
            Files.deleteIfExists(file);
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFileFailed(Path file, IOException e) throws IOException {
            if (e instanceof NoSuchFileException) {
              return FileVisitResult.CONTINUE;
            }
            throw e;
          }

          @Override
          public FileVisitResult postVisitDirectory(Path directory, IOException e) throws IOException {
            Files.deleteIfExists(directory);
            return FileVisitResult.CONTINUE;
          }
        });
  }
}
