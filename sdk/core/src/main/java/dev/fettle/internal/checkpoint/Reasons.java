package dev.fettle.internal.checkpoint;

import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/** Why the system refuses to write, in words: its exceptions give a path and often nothing else. */
final class Reasons {
  private Reasons() {}

  /** Why saving under a path failed; the path is absolute and has a parent. */
  static String of(Path target, Exception e) {
    Exception cause = e instanceof UncheckedIOException unchecked ? unchecked.getCause() : e;
    Path ground = target.getParent();
    while (ground.getParent() != null && !Files.exists(ground)) {
      ground = ground.getParent();
    }
    if (!Files.isDirectory(ground)) {
      return ground + " is a file, not a directory";
    }
    if (cause instanceof FileSystemException refused && refused.getFile() != null) {
      String words = words(refused);
      if (words.contains("too long")) {
        return "its name or path is too long";
      }
      return Temporaries.isAbout(target, Path.of(refused.getFile()))
          ? "nothing can be made in " + ground + (words.isEmpty() ? "" : " (" + words + ")")
          : refused.getFile() + (words.isEmpty() ? " is not there" : ": " + words);
    }
    return cause.getMessage() == null ? cause.toString() : cause.getMessage();
  }

  private static String words(FileSystemException e) {
    if (e instanceof AccessDeniedException) {
      return "no permission";
    } else if (e instanceof NoSuchFileException) {
      return "";
    }
    return e.getReason() == null ? e.getClass().getSimpleName() : e.getReason();
  }
}
