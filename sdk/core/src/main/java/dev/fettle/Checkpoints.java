package dev.fettle;

import dev.fettle.internal.CheckpointsBackend;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * What a service has stored of one's trainings. {@link Training#saveState} stores a checkpoint there and notes its path
 * in a directory here. Thread-safe.
 */
public final class Checkpoints {
  private final CheckpointsBackend backend;

  Checkpoints(CheckpointsBackend backend) {
    this.backend = backend;
  }

  /** All of them. */
  public List<Checkpoint> list() {
    return backend.list();
  }

  /** Deletes one for good. */
  public void delete(String path) {
    backend.delete(Objects.requireNonNull(path, "path"));
  }

  /**
   * Has the service delete one after a time from now.
   *
   * @throws InvalidInputException if the time is less than a second
   */
  public void expire(String path, Duration after) {
    if (Objects.requireNonNull(after, "after").toSeconds() < 1) {
      throw new InvalidInputException("expire after " + after + ": give at least a second, or use delete");
    }
    backend.expire(Objects.requireNonNull(path, "path"), Optional.of(after));
  }

  /** Has the service keep one until it is deleted. */
  public void keep(String path) {
    backend.expire(Objects.requireNonNull(path, "path"), Optional.empty());
  }

  /**
   * Has the service keep a checkpoint in a second place, of which nothing that happens to the first reaches: a training that is
   * deleted with all it saved, a checkpoint that another account has shared.
   *
   * @return the path of the copy
   * @throws ServiceException if the service does not know the checkpoint, or does not copy
   */
  public String copy(String path) {
    return backend.copy(Objects.requireNonNull(path, "path"));
  }

  /**
   * Downloads an adapter as a directory in PEFT's layout, as {@link Training#saveAdapter} writes it. The directory is
   * replaced as a whole or not at all.
   */
  public void download(String path, Path directory) {
    backend.download(Objects.requireNonNull(path, "path"), Objects.requireNonNull(directory, "directory"));
  }

  @Override
  public String toString() {
    return "Checkpoints";
  }
}
