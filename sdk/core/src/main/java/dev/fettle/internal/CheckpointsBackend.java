package dev.fettle.internal;

import dev.fettle.Checkpoint;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** What a service has stored; see {@link dev.fettle.Checkpoints}. */
public interface CheckpointsBackend {
  List<Checkpoint> list();

  void delete(String path);

  /** Sets when a checkpoint is deleted; never, if empty. */
  void expire(String path, Optional<Duration> after);

  /** Copies a checkpoint to a place of its own; returns its path. */
  String copy(String path);

  /** Downloads an adapter as a directory in PEFT's layout. */
  void download(String path, Path directory);
}
