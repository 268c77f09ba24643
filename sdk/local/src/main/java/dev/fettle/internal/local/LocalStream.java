package dev.fettle.internal.local;

import dev.fettle.Token;
import java.lang.ref.Cleaner;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.function.Supplier;

/**
 * The tokens of one sample as they come. Its native memory is freed when the sample ends or fails, when the sampler is
 * closed, or when a loop was left early and the iterator is no longer reachable.
 */
final class LocalStream implements Iterator<Token> {
  private static final Cleaner CLEANER = Cleaner.create();

  private final Session session;
  private int given;

  LocalStream(LocalSampler sampler, Supplier<Generation> start) {
    session = new Session(sampler, start);
    CLEANER.register(this, session::close);
  }

  @Override
  public boolean hasNext() {
    if (!session.complete && given == session.count()) {
      EngineThread.get().call(session::more);
    }
    return given < session.count();
  }

  @Override
  public Token next() {
    if (!hasNext()) {
      throw new NoSuchElementException("the sample has ended");
    }
    return session.generation.token(given++);
  }

  /** What runs, apart from the iterator, so that the iterator can become unreachable. */
  static final class Session {
    private final LocalSampler sampler;
    private final Supplier<Generation> start;
    private volatile Generation generation;
    private volatile boolean complete;
    private volatile boolean ended;

    private Session(LocalSampler sampler, Supplier<Generation> start) {
      this.sampler = sampler;
      this.start = start;
    }

    private int count() {
      return generation == null ? 0 : generation.count();
    }

    private Void more() {
      boolean going = false;
      try {
        sampler.requireOpen();
        EngineThread.requireOpen(!ended, "this stream, which failed before,");
        if (generation == null) {
          generation = start.get();
          sampler.begun(this);
        }
        going = generation.advance();
        complete = !going;
      } finally {
        if (!going) {
          end();
        }
      }
      return null;
    }

    /** Frees the native memory; on the engine thread. The tokens that were sampled stay. */
    void end() {
      if (!ended) {
        ended = true;
        if (generation != null) {
          generation.close();
          sampler.ended(this);
        }
      }
    }

    private void close() {
      if (!ended) {
        EngineThread.get().run(this::end);
      }
    }
  }
}
