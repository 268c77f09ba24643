package dev.fettle.internal.serve;

import dev.fettle.Full;
import dev.fettle.Lora;
import dev.fettle.Modules;
import dev.fettle.Tuning;
import dev.fettle.internal.TrainingBackend;
import dev.fettle.internal.wire.Models.LoraConfig;
import java.time.Instant;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Function;
import java.util.function.Supplier;

/** A model that a client trains. Its requests are carried out in the order of their sequence numbers. */
final class Trained extends Scheduler.Lane {
  private final Engine engine;
  private final Session session;
  private final String id;
  private final LoraConfig config;
  private final Map<String, Object> userMetadata;
  private final SequenceQueue turns;
  private TrainingBackend training;
  private RuntimeException ended;
  private int requests;
  private volatile Instant last;

  Trained(Engine engine, Session session, String id, LoraConfig config, Map<String, Object> userMetadata) {
    this.engine = engine;
    this.session = session;
    this.id = id;
    this.config = config;
    this.userMetadata = userMetadata;
    this.turns = new SequenceQueue(work -> engine.scheduler().submit(this, work));
    this.last = engine.instant();
  }

  /** What a configuration asks for: rank 0 is full fine-tuning; the output head gets no adapter. */
  static Tuning tuning(LoraConfig config, Limits limits) {
    int rank = Problem.require(Problem.require(config, "lora_config").rank(), "lora_config.rank");
    if (rank == 0) {
      return Full.all();
    }
    boolean attention = !Boolean.FALSE.equals(config.trainAttn());
    boolean mlp = !Boolean.FALSE.equals(config.trainMlp());
    if (rank < 0 || !attention && !mlp) {
      throw Problem.invalid(rank < 0 ? "lora_config.rank is " + rank + ": give at least 1, or 0 to train all weights"
          : "lora_config trains neither attention nor mlp, and this server puts no adapter on the output head");
    }
    if (rank > limits.sizes().rank()) {
      throw Problem.invalid("lora_config.rank is " + rank + ": this server takes at most " + limits.sizes().rank());
    }
    long seed = config.seed() == null ? ThreadLocalRandom.current().nextLong() : config.seed();
    Lora lora = Lora.rank(rank).seed(seed);
    return attention && mlp ? lora : lora.targetModules(attention ? Modules.attention() : Modules.mlp());
  }

  /** Begins the training, once there is room for it. */
  PendingRequest begin(Tuning tuning) {
    PendingRequest promise = engine.promises().begin(PendingRequest.Kind.OTHER, session, id, false, 0);
    promise.obstacle(this::obstacle);
    engine.scheduler().submit(this, Scheduler.fulfilling(promise, () -> {
      TrainingBackend begun = engine.model().tune(tuning);
      synchronized (this) {
        if (ended == null) {
          training = begun;
          engine.trainings().incrementAndGet();
          session.trainings().incrementAndGet();
          return dev.fettle.internal.wire.Models.ModelResult.created(id);
        }
      }
      begun.close();
      throw ended;
    }));
    return promise;
  }

  /** One client leaves room for others, where there is room for several. */
  private String obstacle() {
    int most = engine.limits().models();
    int own = Math.max(1, most - most / 4);
    if (engine.trainings().get() >= most) {
      return most + " models are being trained, the most at a time; this one begins when one of them ends";
    }
    return session.trainings().get() < own ? null : own + " models of this client are being trained, the most at a time of "
        + "one; this one begins when one of them ends";
  }

  String id() {
    return id;
  }

  Session session() {
    return session;
  }

  LoraConfig config() {
    return config;
  }

  Map<String, Object> userMetadata() {
    return userMetadata;
  }

  boolean isLora() {
    return config.rank() > 0;
  }

  Instant last() {
    return last;
  }

  /**
   * Takes a request on, or finds the same one that came before.
   *
   * @param first whether it has to be the first of this model
   * @param bytes what the request takes in memory
   * @param work what is done with the training once it is this request's turn
   */
  synchronized PendingRequest submit(PendingRequest.Kind kind, Integer number, String fingerprint, boolean first, long bytes,
      Function<TrainingBackend, Object> work) {
    last = engine.instant();
    PendingRequest before = turns.repeated(number, fingerprint);
    if (before != null) {
      return before;
    }
    if (ended != null) {
      throw Problem.unknown(ended.getMessage());
    }
    if (first && requests > 0) {
      throw Problem.invalid("weights can only be loaded as the first request of a model, and " + id + " has had "
          + requests
          + ": create another model and load into that");
    }
    PendingRequest promise = engine.promises().begin(kind, session, id, turns.isAwaited(number), bytes);
    requests++;
    turns.add(number, fingerprint, promise, Scheduler.fulfilling(promise, () -> work.apply(training())), engine.now());
    return promise;
  }

  /** Runs what may refuse a request; other requests do not wait for one that was refused. */
  <T> T checking(Integer number, Supplier<T> request) {
    try {
      return request.get();
    } catch (RuntimeException e) {
      if (!(e instanceof Problem p) || p.status() != 429 && p.status() != 409) {
        synchronized (this) {
          turns.refuse(number);
        }
      }
      throw e;
    }
  }

  private synchronized TrainingBackend training() {
    if (training == null) {
      throw ended != null ? ended : Problem.invalid("model " + id + " could not be created");
    }
    return training;
  }

  synchronized void expire() {
    turns.expire(engine.now(), engine.limits().gap().toMillis());
  }

  /** Frees the training; what waits fails. */
  void end(RuntimeException reason) {
    TrainingBackend open;
    synchronized (this) {
      if (ended != null) {
        return;
      }
      ended = reason;
      turns.close(reason);
      open = training;
      training = null;
    }
    engine.scheduler().close(this, reason);
    if (open != null) {
      open.close();
      engine.trainings().decrementAndGet();
      session.trainings().decrementAndGet();
      engine.scheduler().wake();
    }
  }
}
