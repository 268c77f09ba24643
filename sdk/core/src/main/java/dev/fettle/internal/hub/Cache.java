package dev.fettle.internal.hub;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Optional;
import java.util.UUID;

/**
 * A repository's directory in the hub's cache: {@code refs} name the commit of a branch, {@code blobs} hold contents by
 * their ETag, {@code snapshots/COMMIT} links names to them, {@code .no_exist} remembers names that a commit lacks.
 */
final class Cache {
  private final Path root;
  private final Path home;
  private final Repository repository;

  Cache(Path root, Repository repository) {
    this.root = root;
    this.repository = repository;
    this.home = root.resolve(repository.folder());
  }

  Path root() {
    return root;
  }

  /** The commit that the revision was when it was last asked for. */
  Optional<String> commit() {
    if (repository.isCommit()) {
      return Optional.of(repository.revision());
    }
    try {
      String commit = Files.readString(ref()).strip();
      return Client.isCommit(commit) ? Optional.of(commit) : Optional.empty();
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  void commit(String commit) throws IOException {
    if (!commit.equals(repository.revision()) && !commit().equals(Optional.of(commit))) {
      Files.createDirectories(ref().getParent());
      Path temporary = beside(ref());
      Files.writeString(temporary, commit);
      Files.move(temporary, ref(), StandardCopyOption.ATOMIC_MOVE);
    }
  }

  private Path ref() {
    return home.resolve("refs").resolve(repository.revision());
  }

  Path snapshot(String commit) {
    return home.resolve("snapshots").resolve(commit);
  }

  Path blob(String etag) {
    return home.resolve("blobs").resolve(etag);
  }

  /** What one process at a time may hold while it fetches a blob. */
  Path lock(String etag) {
    return root.resolve(".locks").resolve(repository.folder()).resolve(etag + ".lock");
  }

  boolean lacks(String commit, String file) {
    return Files.isRegularFile(absent(commit, file));
  }

  void lacking(String commit, String file) throws IOException {
    Path mark = absent(commit, file);
    Files.createDirectories(mark.getParent());
    if (!Files.exists(mark)) {
      Files.write(mark, new byte[0]);
    }
  }

  private Path absent(String commit, String file) {
    return home.resolve(".no_exist").resolve(commit).resolve(file);
  }

  /** Lets a snapshot's file be a blob. Where links cannot be made, the content itself goes there. */
  void link(String etag, Path file, boolean fresh) throws IOException {
    Files.createDirectories(file.getParent());
    Path blob = blob(etag);
    Path temporary = beside(file);
    try {
      Files.createSymbolicLink(temporary, file.getParent().relativize(blob));
    } catch (UnsupportedOperationException | IOException e) {
      if (fresh) {
        Files.move(blob, temporary);
      } else {
        Files.copy(blob, temporary);
      }
    }
    Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE);
  }

  private static Path beside(Path file) {
    return file.resolveSibling(file.getFileName() + "." + UUID.randomUUID().toString().substring(0, 8) + ".tmp");
  }
}
