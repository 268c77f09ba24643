package dev.fettle.internal.serve;

import dev.fettle.internal.Backend;
import dev.fettle.internal.ModelBackend;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.LongSupplier;

/**
 * What all parts of a server share.
 *
 * @param name what clients call the base model
 * @param trainings how many trainings hold memory
 * @param clock milliseconds since 1970
 */
record Engine(Backend backend, ModelBackend model, String name, Limits limits, Store store, Scheduler scheduler,
    PendingRequests promises, AtomicInteger trainings, LongSupplier clock) {
  Engine(Backend backend, ModelBackend model, String name, Limits limits, Store store, LongSupplier clock) {
    this(backend, model, name, limits, store, new Scheduler(), new PendingRequests(limits), new AtomicInteger(), clock);
  }

  long now() {
    return clock.getAsLong();
  }

  Instant instant() {
    return Instant.ofEpochMilli(now());
  }

  /** Refuses a base model that is not the one served. */
  void requireBase(String base) {
    Problem.require(base, "base_model");
    if (!base.equals(name) && !base.equals(model.name())) {
      throw Problem.invalid("base_model \"" + base + "\" is not served here; this server has " + name);
    }
  }

  /** Where clients find the tokenizer: the directory of the model, or its name. */
  String tokenizerId() {
    try {
      Path path = Path.of(model.name());
      return Files.isDirectory(path) ? path.toAbsolutePath().normalize().toString() : model.name();
    } catch (InvalidPathException e) {
      return model.name();
    }
  }
}
