package dev.fettle.internal.serve;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;

/** What one client has made. Thread-safe. */
final class Session {
  /** Sampling sessions of one client; a training that samples after each step begins one a step. */
  private static final int SAMPLERS = 4096;

  private final Engine engine;
  private final String id;
  private final Map<Integer, SequenceQueue.Taken> creations = new HashMap<>();
  private final Map<Integer, Copied> copies = new HashMap<>();
  private final Map<String, Trained> models = new LinkedHashMap<>();
  private final Map<String, Sampled> samplers = new LinkedHashMap<>();
  private final Map<Integer, String> samplerPrints = new HashMap<>();
  private final AtomicInteger trainings = new AtomicInteger();
  private final Map<String, Object> userMetadata;
  private final Set<Sampled> inMemory = new LinkedHashSet<>();
  private volatile long seen;
  private int unnumbered = 1 << 30;
  private RuntimeException ended;

  private record Copied(String path, String fingerprint) {}

  Session(Engine engine, String id, Map<String, Object> userMetadata) {
    this.engine = engine;
    this.id = id;
    this.userMetadata = userMetadata;
    touch();
  }

  String id() {
    return id;
  }

  Map<String, Object> userMetadata() {
    return userMetadata;
  }

  /** How many of its trainings hold memory. */
  AtomicInteger trainings() {
    return trainings;
  }

  void touch() {
    seen = engine.now();
  }

  boolean isSilent() {
    return engine.now() - seen > engine.limits().session().toMillis();
  }

  synchronized List<Trained> models() {
    return new ArrayList<>(models.values());
  }

  synchronized List<Sampled> samplers() {
    return new ArrayList<>(samplers.values());
  }

  synchronized Trained model(String modelId) {
    return models.get(modelId);
  }

  synchronized Sampled sampler(String samplerId) {
    return samplers.get(samplerId);
  }

  /** What makes something new of a number. */
  @FunctionalInterface
  interface Maker<T> {
    T make(String id);
  }

  /** Creates a model, or finds the promise of the one that was asked for with the same number. */
  synchronized PendingRequest create(Integer number, String fingerprint, Maker<Trained> maker,
      java.util.function.Function<Trained, PendingRequest> begin) {
    requireOpen();
    int n = number == null ? unnumbered++ : number;
    SequenceQueue.Taken before = creations.get(n);
    if (copies.containsKey(n)) {
      throw new Problem(409, "model_seq_id " + n + " was another request before: count up for each new one");
    }
    if (before != null) {
      return same(before.fingerprint(), fingerprint, "model_seq_id " + n, before.promise());
    }
    Trained model = maker.make(id + ":train:" + n);
    PendingRequest promise = begin.apply(model);
    creations.put(n, new SequenceQueue.Taken(promise, fingerprint));
    models.put(model.id(), model);
    return promise;
  }

  /** Copies a checkpoint to the run of a number, or finds what was copied to it. */
  synchronized String copy(Integer number, String fingerprint, Maker<String> maker) {
    requireOpen();
    int n = number == null ? unnumbered++ : number;
    Copied before = copies.get(n);
    if (before != null || creations.containsKey(n)) {
      return same(before == null ? "" : before.fingerprint, fingerprint, "model_seq_id " + n,
          before == null ? "" : before.path);
    }
    String path = maker.make(id + ":train:" + n);
    copies.put(n, new Copied(path, fingerprint));
    return path;
  }

  /** Creates a sampler, or finds the one that was asked for with the same number. */
  synchronized Sampled sampler(Integer number, String fingerprint, Maker<Sampled> maker) {
    requireOpen();
    int n = number == null ? unnumbered++ : number;
    String samplerId = id + ":sample:" + n;
    Sampled before = samplers.get(samplerId);
    if (before != null) {
      return same(samplerPrints.get(n), fingerprint, "sampling_session_seq_id " + n, before);
    }
    Sampled sampler = maker.make(samplerId);
    samplers.put(samplerId, sampler);
    samplerPrints.put(n, fingerprint);
    if (samplers.size() > SAMPLERS) {
      Sampled eldest = samplers.remove(samplers.keySet().iterator().next());
      eldest.end(Problem.unknown("sampling session " + eldest.id() + " has ended: " + SAMPLERS + " newer ones were begun"));
    }
    return sampler;
  }

  private static <T> T same(String before, String now, String number, T value) {
    if (!before.equals(now)) {
      throw new Problem(409, number + " was another request before: count up for each new one");
    }
    return value;
  }

  private void requireOpen() {
    if (ended != null) {
      throw ended;
    }
  }

  /** A sampler is in memory and used now: those that were not used for longest leave it where there are too many. */
  void used(Sampled sampler) {
    inMemory.remove(sampler);
    inMemory.add(sampler);
    int most = inMemory.stream().anyMatch(Sampled::large) ? Math.max(1, engine.limits().samplers() / 32)
        : engine.limits().samplers();
    while (inMemory.size() > most) {
      Sampled eldest = inMemory.iterator().next();
      inMemory.remove(eldest);
      eldest.unload();
    }
  }

  void forget(Trained model) {
    synchronized (this) {
      models.remove(model.id());
    }
  }

  /** Frees all that was made; what waits fails. */
  void end(RuntimeException reason) {
    synchronized (this) {
      ended = reason;
    }
    models().forEach(m -> m.end(reason));
    samplers().forEach(s -> s.end(reason));
    engine.promises().forget(this);
  }
}
