package dev.fettle.internal.serve;

import dev.fettle.Sample;
import dev.fettle.SamplingParams;
import dev.fettle.UnsupportedModelException;
import dev.fettle.internal.Futures;
import dev.fettle.internal.SamplerBackend;
import dev.fettle.internal.wire.Sampling;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;

/**
 * Something that can be sampled. Requests with the same parameters whose seed does not matter are sampled together,
 * which is many times faster. Native memory is only touched by the scheduler's thread.
 */
final class Sampled extends Scheduler.Lane {
  /** Requests that are sampled together at most. */
  private static final int TOGETHER = 64;
  /** Sequences of them all at most, unless one request asks for more. */
  private static final int SEQUENCES = 1024;
  /** The numbers of the requests of the n-th copy of a client begin at n times this. */
  private static final long COPY = 1_000_000_000;
  private static final int COPIES = 10_000;
  private static final int REMEMBERED = 20_000;

  /** Weights in memory, and how they leave it. */
  record Loaded(SamplerBackend backend, Runnable release) {}

  private final Engine engine;
  private final Session session;
  private final String id;
  private final String path;
  private final boolean large;
  private final Supplier<Loaded> loader;
  private final Map<Long, SequenceQueue.Taken> taken = new LinkedHashMap<>() {
    private static final long serialVersionUID = 1;

    @Override
    protected boolean removeEldestEntry(Map.Entry<Long, SequenceQueue.Taken> eldest) {
      return size() > REMEMBERED;
    }
  };
  private final Map<Long, SampleHistory> histories = new ConcurrentHashMap<>();
  private final AtomicLong copies = new AtomicLong();
  private final Scheduler.Lane finishing = new Scheduler.Lane();
  /** Requests whose samples are being made beside others. */
  private final Set<Piece> making = ConcurrentHashMap.newKeySet();
  private Loaded loaded;
  private boolean live = true;
  private boolean unloading;

  /**
   * A sampler.
   *
   * @param path where the weights are stored; null for the base model and for what is not kept
   * @param large whether it holds weights of its own instead of an adapter
   * @param loader brings the weights into memory; throws where they are lost
   */
  Sampled(Engine engine, Session session, String id, String path, boolean large, Loaded loaded,
      Supplier<Loaded> loader) {
    this.engine = engine;
    this.session = session;
    this.id = id;
    this.path = path;
    this.large = large;
    this.loaded = loaded;
    this.loader = loader;
  }

  String id() {
    return id;
  }

  Session session() {
    return session;
  }

  String path() {
    return path;
  }

  boolean large() {
    return large;
  }

  boolean inMemory() {
    return loaded != null;
  }

  /** What was done of the requests of one copy of the client; 0 is the first. */
  SampleHistory history(long copy) {
    if (histories.size() >= COPIES && !histories.containsKey(copy)) {
      throw Problem.invalid("sampling session " + id + " has " + COPIES + " clients, the most of one: begin another session");
    }
    return histories.computeIfAbsent(copy, c -> new SampleHistory());
  }

  /** The number of another copy of the client, from 1. */
  long join() {
    return copies.incrementAndGet();
  }

  /** Takes a request on, or finds the same one that came before. */
  synchronized PendingRequest submit(Long number, String fingerprint, int[] prompt, SamplingParams params, boolean seeded,
      Scoring scores) {
    SequenceQueue.Taken before = number == null ? null : taken.get(number);
    if (before != null && before.fingerprint().equals(fingerprint)) {
      return before.promise();
    } else if (before != null) {
      throw new Problem(409, "seq_id " + number + " was another request before: count up for each new one");
    }
    PendingRequest promise = engine.promises().begin(PendingRequest.Kind.SAMPLE, session, null, false, 4L * prompt.length);
    if (number != null) {
      taken.put(number, new SequenceQueue.Taken(promise, fingerprint));
      SampleHistory history = history(number / COPY);
      promise.result().whenComplete((value, error) -> history.add(promise.id(), error == null));
    }
    boolean free = !seeded || params.temperature() == 0;
    engine.scheduler().submit(this, new Piece(promise, prompt, free ? params.seed(0) : params, free, scores));
    return promise;
  }

  @Override
  Scheduler.Work take(Deque<Scheduler.Work> pieces) {
    Piece first = (Piece) pieces.poll();
    List<Piece> together = new ArrayList<>(List.of(first));
    if (first.free) {
      Deque<Scheduler.Work> others = new ArrayDeque<>();
      while (!pieces.isEmpty()) {
        Piece piece = (Piece) pieces.poll();
        boolean joins = piece.free && piece.params.equals(first.params) && together.size() < TOGETHER
            && (together.size() + 1) * first.params.samples() <= SEQUENCES;
        if (joins) {
          together.add(piece);
        } else {
          others.add(piece);
        }
      }
      pieces.addAll(others);
    }
    return new Together(together);
  }

  private final class Piece implements Scheduler.Work {
    private final PendingRequest promise;
    private final int[] prompt;
    private final SamplingParams params;
    private final boolean free;
    private final Scoring scores;

    Piece(PendingRequest promise, int[] prompt, SamplingParams params, boolean free, Scoring scores) {
      this.promise = promise;
      this.prompt = prompt;
      this.params = params;
      this.free = free;
      this.scores = scores;
    }

    @Override
    public void run() {
      new Together(List.of(this)).run();
    }

    @Override
    public void drop(RuntimeException reason) {
      promise.result().completeExceptionally(reason);
    }
  }

  private final class Together implements Scheduler.Work {
    private final List<Piece> pieces;

    Together(List<Piece> pieces) {
      this.pieces = pieces;
    }

    @Override
    public void run() {
      try {
        sample(pieces);
      } catch (RuntimeException | Error e) {
        if (pieces.size() == 1) {
          pieces.get(0).promise.result().completeExceptionally(e);
        } else {
          pieces.forEach(Piece::run);
        }
      }
    }

    @Override
    public void drop(RuntimeException reason) {
      pieces.forEach(piece -> piece.drop(reason));
    }
  }

  private void sample(List<Piece> all) {
    List<Piece> pieces = all.stream().filter(piece -> !piece.promise.result().isDone()).toList();
    if (pieces.isEmpty()) {
      return;
    }
    SamplerBackend backend = backend();
    Piece first = pieces.get(0);
    if (joins(backend, pieces)) {
      return;
    }
    SamplingParams params = first.free ? first.params.seed(ThreadLocalRandom.current().nextLong()) : first.params;
    List<List<Sample>> samples = Futures.join(backend.sample(pieces.stream().map(p -> p.prompt).toList(), params));
    for (int i = 0; i < pieces.size(); i++) {
      Piece piece = pieces.get(i);
      piece.promise.result().complete(piece.scores.result(backend, piece.prompt, samples.get(i).stream().map(s ->
          new Sampling.Sequence(Sampling.reason(s.stopReason()), s.tokens(), s.logprobs()))
          .toList(), 0));
    }
  }

  /**
   * Lets samples join those that are made already, of all samplers with the same weights, or those with a seed be made beside
   * them, and goes on; false where the engine does not do that.
   */
  private boolean joins(SamplerBackend backend, List<Piece> pieces) {
    if (!live) {
      return false;
    }
    for (Piece piece : pieces) {
      making.add(piece);
      LiveSamples samples = new LiveSamples(piece.params.samples(), piece.promise.result()::isDone,
          done -> engine.scheduler().submit(finishing, new Finish(piece, done)));
      try {
        backend.begin(samples.request(piece.prompt,
            piece.free ? piece.params.seed(ThreadLocalRandom.current().nextLong()) : piece.params, !piece.free));
      } catch (UnsupportedModelException e) {
        making.remove(piece);
        live = false;
        return false;
      } catch (RuntimeException e) {
        making.remove(piece);
        piece.promise.result().completeExceptionally(e);
      }
    }
    return true;
  }

  /** Answers a request whose samples have been made, or have failed. */
  private final class Finish implements Scheduler.Work {
    private final Piece piece;
    private final LiveSamples samples;

    Finish(Piece piece, LiveSamples samples) {
      this.piece = piece;
      this.samples = samples;
    }

    @Override
    public void run() {
      try {
        if (!piece.promise.result().isDone()) {
          piece.promise.result().complete(piece.scores.result(loaded.backend, piece.prompt, samples.sequences(), samples.cached()));
        }
      } catch (RuntimeException | Error e) {
        piece.promise.result().completeExceptionally(e);
      } finally {
        making.remove(piece);
        if (making.isEmpty() && unloading) {
          unload();
        }
      }
    }

    @Override
    public void drop(RuntimeException reason) {
      piece.drop(reason);
      making.remove(piece);
    }
  }

  private SamplerBackend backend() {
    unloading = false;
    if (loaded == null) {
      loaded = loader.get();
    }
    session.used(this);
    return loaded.backend;
  }

  /** Takes the weights out of memory, once no samples are made with them. */
  void unload() {
    unloading = !making.isEmpty();
    if (loaded != null && !unloading) {
      loaded.release.run();
      loaded = null;
    }
  }

  /** Ends it; what waits fails, and what is being made is left. */
  void end(RuntimeException reason) {
    engine.scheduler().close(this, reason);
    making.forEach(piece -> piece.drop(reason));
    Scheduler.Lane last = new Scheduler.Lane();
    engine.scheduler().submit(last, new Scheduler.Work() {
      @Override
      public void run() {
        unload();
      }

      @Override
      public void drop(RuntimeException unused) {
        unload();
      }
    });
  }
}
