package dev.fettle.internal;

import dev.fettle.FettleException;
import dev.fettle.InvalidInputException;
import java.io.Closeable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Locale;

/** What an {@link IOException} about a file means, for people: which file, what is wrong with it, what to do. */
public final class FileErrors {
  private FileErrors() {}

  /** A file or directory that cannot be read. */
  public static InvalidInputException unread(Path file, IOException e) {
    boolean there = Files.exists(file, LinkOption.NOFOLLOW_LINKS);
    if (e instanceof AccessDeniedException) {
      return new InvalidInputException(file + ": cannot be read: this user may not read it", e);
    }
    boolean missing = e instanceof NoSuchFileException || !there || Files.isDirectory(file);
    return new InvalidInputException(file + ": " + (missing ? missing(file) : "cannot be read: " + reason(file, e)), e);
  }

  /**
   * Refuses what is no directory that can be read.
   *
   * @param holding a file that it is to hold
   */
  public static void requireDirectory(Path directory, String holding) {
    try {
      if (!Files.readAttributes(directory, BasicFileAttributes.class).isDirectory()) {
        throw new InvalidInputException(directory + ": is a file; name the directory that holds " + holding);
      }
    } catch (NoSuchFileException e) {
      throw new InvalidInputException(directory + ": " + missing(directory).replace("no such file", "no such directory"), e);
    } catch (IOException e) {
      throw unread(directory, e);
    }
    if (!Files.isReadable(directory) || !Files.isExecutable(directory)) {
      throw new InvalidInputException(directory + ": cannot be read: this user may not look into it");
    }
  }

  /** A file or directory that cannot be saved; {@code e} is an {@link IOException}, maybe unchecked. */
  public static FettleException unsaved(Path target, Exception e) {
    String begin = target + ": cannot be saved: ";
    String place = whyNoPlace(target, cause(e));
    return place.isEmpty() ? new FettleException(begin + reason(target, cause(e)), e)
        : new InvalidInputException(begin + place + "; name another place", e);
  }

  /** Why nothing can be saved in a place, of whose files {@code e} is an {@link IOException}, maybe unchecked. */
  public static String whyUnsaved(Path target, Exception e) {
    String place = whyNoPlace(target, cause(e));
    return place.isEmpty() ? reason(target, cause(e)) : place;
  }

  private static IOException cause(Exception e) {
    return e instanceof UncheckedIOException unchecked ? unchecked.getCause() : (IOException) e;
  }

  /** Closes what a file was opened as. */
  public static void close(Path file, Closeable opened) {
    try {
      opened.close();
    } catch (IOException e) {
      throw new FettleException(file + ": cannot be closed: " + reason(file, e), e);
    }
  }

  private static String missing(Path file) {
    if (Files.isDirectory(file)) {
      return "is a directory; name a file";
    }
    if (Files.isSymbolicLink(file)) {
      return "is a link to what does not exist";
    }
    Path at = existing(file);
    String where = file.isAbsolute() ? "" : " (looked for " + file.toAbsolutePath() + ")";
    return "no such file" + where + (Files.isDirectory(at) ? "" : ": " + noDirectory(at));
  }

  /** Why nothing can be made in a place; empty if the place is not the reason. */
  private static String whyNoPlace(Path target, IOException e) {
    Path at = existing(target);
    if (!Files.isDirectory(at)) {
      return noDirectory(at);
    }
    if (e instanceof FileAlreadyExistsException && Files.isRegularFile(target)) {
      return "it is a file, not a directory";
    }
    if (e instanceof FileSystemException f && f.getFile() != null && !isAbout(target, at, Path.of(f.getFile()))) {
      return "";
    }
    // The name that the system refuses may be that of a temporary file beside the target.
    if (e instanceof FileSystemException f && String.valueOf(f.getReason()).contains("too long")) {
      return "its name or path is too long";
    }
    if (e instanceof AccessDeniedException) {
      return "this user may not write in " + at;
    }
    if (e instanceof NoSuchFileException) {
      return "nothing can be made in " + at;
    }
    return "";
  }

  /** Whether a file is the place itself, or is or would be in it for the target's sake, be it under a temporary name. */
  private static boolean isAbout(Path target, Path at, Path file) {
    Path wanted = target.toAbsolutePath().normalize();
    Path met = file.toAbsolutePath().normalize();
    int depth = at.getNameCount();
    return wanted.equals(at) || met.equals(at)
        || met.startsWith(at) && met.getName(depth).toString().contains(wanted.getName(depth).toString());
  }

  private static String noDirectory(Path at) {
    return at + (Files.exists(at) ? " is a file, not a directory" : " is a link to what does not exist");
  }

  /** The nearest place on the way to a file that exists. */
  private static Path existing(Path file) {
    Path at = file.toAbsolutePath().normalize().getParent();
    while (at != null && at.getParent() != null && !Files.exists(at, LinkOption.NOFOLLOW_LINKS)) {
      at = at.getParent();
    }
    return at == null ? file.toAbsolutePath() : at;
  }

  /** What the system says of a file, without the names of classes. */
  public static String reason(Path file, IOException e) {
    if (e instanceof CharacterCodingException) {
      return "it is not text in the encoding that it should have, which is UTF-8 unless another is named";
    }
    if (e instanceof FileSystemException f) {
      String other = f.getFile() == null || f.getFile().equals(file.toString()) ? "" : f.getFile() + ": ";
      String why = f.getReason() != null ? f.getReason()
          : f.getClass().getSimpleName().replaceAll("Exception$", "").replaceAll("(?<=[a-z])(?=[A-Z])", " ");
      return other + why.toLowerCase(Locale.ROOT);
    }
    return e.getMessage() == null || e.getMessage().isBlank() ? "the system gives no reason" : e.getMessage();
  }
}
