package dev.fettle.internal;

import dev.fettle.DType;
import dev.fettle.InvalidInputException;
import dev.fettle.Quantisation;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * Where the work is done: this machine or a service. The one seam between the public API, which checks arguments, and
 * what carries them out. Closing a backend closes all that came from it.
 */
public interface Backend extends AutoCloseable {
  /** Loads a base model by name or directory, in a compute type or the one that suits the machine. */
  default ModelBackend load(String name, Optional<DType> type) {
    return load(name, type, new ProgressMeter());
  }

  /** Loads, and tells how far it is. */
  default ModelBackend load(String name, Optional<DType> type, ProgressMeter meter) {
    return load(name, type, Optional.empty(), meter);
  }

  /** The same with weights in a form of one's own. */
  ModelBackend load(String name, Optional<DType> type, Optional<Quantisation> quantisation, ProgressMeter meter);

  /** A model with random weights of the shape that a directory's config.json asks for. */
  ModelBackend initialise(Path directory, Optional<DType> type, Optional<Quantisation> quantisation, long seed);

  /** Goes on from a saved state. */
  default Resumed resume(Path state) {
    return resume(state, new ProgressMeter());
  }

  /** Goes on, and tells how far the loading is. */
  Resumed resume(Path state, ProgressMeter meter);

  /** The names of models that can be loaded without a directory. */
  List<String> models();

  /** What a service has stored. */
  default CheckpointsBackend checkpoints() {
    throw new InvalidInputException("checkpoints(): this machine keeps none; saveState writes directories");
  }

  @Override
  void close();

  /** A training that goes on, and its model. */
  record Resumed(ModelBackend model, TrainingBackend training) {}
}
