package dev.fettle.internal.checkpoint;

import dev.fettle.FettleException;
import dev.fettle.InvalidInputException;
import dev.fettle.internal.FileErrors;
import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.SecureDirectoryStream;
import java.nio.file.attribute.BasicFileAttributeView;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.locks.LockSupport;

/**
 * The files of a directory that belong together, such as an adapter's settings and its weights, opened at once: all
 * are of one save, though another process may save the same directory meanwhile, and stay readable whatever becomes of
 * the directory. Thread-safe; whoever opens it closes it.
 */
public final class OpenDirectory implements AutoCloseable {
  /** So many saves in a row would have to end within the moment that opening takes. */
  private static final int ATTEMPTS = 50;

  /** So many times in a row nobody is told that a directory is missing that is only being replaced. */
  private static final int LOOKS = 3;

  /** Kinds of files that models, adapters and states consist of; of others only the names are known. */
  private static final List<String> KINDS = List.of(".json", ".safetensors", ".jinja", ".txt", ".model", ".md");

  private final Path path;
  private final TreeSet<String> names = new TreeSet<>();
  private final TreeMap<String, OpenFile> files = new TreeMap<>();

  private OpenDirectory(Path path) {
    this.path = path;
  }

  /**
   * Opens a directory of a kind.
   *
   * @throws InvalidInputException as {@link #open(Path, String)}, or if it is of another kind
   * @throws FettleException as {@link #open(Path, String)}
   */
  public static OpenDirectory open(Path path, Contents.Kind kind) {
    OpenDirectory opened = open(path, kind.file);
    try {
      Contents.require(opened, kind);
      return opened;
    } catch (RuntimeException e) {
      opened.close();
      throw e;
    }
  }

  /**
   * Opens a directory.
   *
   * @param holding what it is to hold, for the message where it is a file
   * @throws InvalidInputException if it is missing or cannot be read
   * @throws FettleException if other processes replace it again and again
   */
  public static OpenDirectory open(Path path, String holding) {
    Objects.requireNonNull(path, "path");
    for (int attempt = 1; attempt <= ATTEMPTS; attempt++) {
      requireThere(path, holding);
      OpenDirectory opened = new OpenDirectory(path);
      boolean whole = false;
      try {
        whole = opened.openAll();
      } finally {
        if (!whole) {
          opened.close();
        }
      }
      if (whole) {
        return opened;
      }
      LockSupport.parkNanos(attempt * 100_000L);
    }
    throw new FettleException(path + ": another process replaced it " + ATTEMPTS + " times in a row while it was being "
        + "opened; read it when that has ended, or read a copy");
  }

  /**
   * What stands for the files of a directory, although they are in memory alone: those that another format's file has in it.
   *
   * @param path of that file, for messages
   */
  public static OpenDirectory of(Path path, Map<String, byte[]> files) {
    OpenDirectory directory = new OpenDirectory(path);
    files.forEach((name, content) -> {
      directory.names.add(name);
      directory.files.put(name, OpenFile.of(path.resolve(name), content));
    });
    return directory;
  }

  /** Where directories cannot be swapped, a save of another process takes the name away for a moment. */
  private static void requireThere(Path path, String holding) {
    for (int look = 1; look <= LOOKS; look++) {
      AtomicFiles.recover(path);
      try {
        FileErrors.requireDirectory(path, holding);
        return;
      } catch (InvalidInputException e) {
        if (look == LOOKS) {
          throw e;
        }
      }
    }
  }

  /** Whether all that was opened is of one directory: the one that has the name before and after. */
  private boolean openAll() {
    try {
      Object before = identity(Files.readAttributes(path, BasicFileAttributes.class));
      // While it is listed it is not gone, even if it is deleted: no other gets its number.
      try (DirectoryStream<Path> listed = Files.newDirectoryStream(path)) {
        if (listed instanceof SecureDirectoryStream<Path> secure) {
          before = identity(secure.getFileAttributeView(BasicFileAttributeView.class).readAttributes());
        }
        for (Path entry : listed) {
          open(entry);
        }
        return before.equals(identity(Files.readAttributes(path, BasicFileAttributes.class)));
      }
    } catch (NoSuchFileException | NotDirectoryException e) {
      return false;
    } catch (DirectoryIteratorException e) {
      throw FileErrors.unread(path, e.getCause());
    } catch (IOException e) {
      throw FileErrors.unread(path, e);
    }
  }

  private void open(Path entry) throws IOException {
    String name = entry.getFileName().toString();
    names.add(name);
    if (KINDS.stream().anyMatch(name::endsWith) && Files.isRegularFile(entry)) {
      files.put(name, OpenFile.open(entry));
    } else if (Files.isRegularFile(entry.resolve(EncoderSettings.CONFIG))) {
      for (String file : List.of(EncoderSettings.CONFIG, ModelDirectory.SINGLE)) {
        if (Files.isRegularFile(entry.resolve(file))) {
          files.put(name + "/" + file, OpenFile.open(entry.resolve(file)));
        }
      }
    }
  }

  /** What no other directory has at the same time; systems that do not number files have their times. */
  private static Object identity(BasicFileAttributes a) {
    return a.fileKey() != null ? a.fileKey() : List.of(a.creationTime(), a.lastModifiedTime());
  }

  /** The directory. */
  public Path path() {
    return path;
  }

  /** Whether it lists a name, of a file or a directory. */
  public boolean lists(String name) {
    return names.contains(name);
  }

  /** Adds the files of another directory, which stand for those of the same names here and are closed with these. */
  OpenDirectory over(OpenDirectory other) {
    names.addAll(other.names);
    other.files.forEach((name, file) -> {
      OpenFile below = files.put(name, file);
      if (below != null) {
        below.close();
      }
    });
    return this;
  }

  /** A file, if it is there; {@code DIRECTORY/config.json} for that of a module of sentence-transformers. */
  public Optional<OpenFile> find(String name) {
    return Optional.ofNullable(files.get(name));
  }

  /**
   * A file.
   *
   * @throws InvalidInputException if it is missing
   */
  public OpenFile file(String name) {
    return find(name).orElseThrow(() -> FileErrors.unread(path.resolve(name), new NoSuchFileException(name)));
  }

  /** The files in the directory itself, sorted by name. */
  public List<OpenFile> files() {
    return files.values().stream().filter(file -> path.equals(file.path().getParent())).toList();
  }

  @Override
  public void close() {
    files.values().forEach(OpenFile::close);
  }

  @Override
  public String toString() {
    return "OpenDirectory[" + path + "]";
  }
}
