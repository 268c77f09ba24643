package dev.fettle.internal.openai;

import dev.fettle.Sample;
import dev.fettle.SamplingParams;
import dev.fettle.internal.LiveRequest;
import dev.fettle.internal.SampleListener;
import dev.fettle.internal.SampledToken;
import dev.fettle.internal.SamplerBackend;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** What comes of a request's samples, in the order in which it comes. Closing it ends those that are not whole. */
final class Samples implements AutoCloseable {
  private final LinkedBlockingQueue<Event> events = new LinkedBlockingQueue<>();
  private final AtomicInteger cached = new AtomicInteger();
  private int begun;
  private int ended;
  private volatile boolean closed;

  /**
   * Something that happened to a sample.
   *
   * @param index of the sample
   * @param token that came; null at the end
   * @param reason of the end; null before it
   */
  record Event(int index, SampledToken token, Sample.StopReason reason, Throwable error) {}

  /** Begins the samples of a prompt; they are numbered from the last one's number on. */
  void begin(SamplerBackend sampler, int[] prompt, SamplingParams params, int top, boolean specials) {
    List<SampleListener> listeners = new ArrayList<>();
    for (int i = 0; i < params.samples(); i++) {
      listeners.add(new Listener(begun++));
    }
    sampler.begin(new LiveRequest(prompt, params, top, specials, listeners));
  }

  int count() {
    return begun;
  }

  /** How many tokens of the prompts had been read before. */
  int cached() {
    return cached.get();
  }

  /** Whether all samples are whole. */
  boolean complete() {
    return ended == begun;
  }

  /** Whether more is there already. */
  boolean hasMore() {
    return !events.isEmpty();
  }

  /**
   * The next event; null if none comes within a time.
   *
   * @throws RuntimeException what a sample failed with
   */
  Event next(long millis) {
    Event event;
    try {
      event = events.poll(millis, TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw ApiError.of(503, "the server is shutting down");
    }
    if (event == null) {
      return null;
    } else if (event.error instanceof RuntimeException e) {
      throw e;
    } else if (event.error instanceof Error e) {
      throw e;
    }
    ended += event.reason == null ? 0 : 1;
    return event;
  }

  @Override
  public void close() {
    closed = true;
  }

  private final class Listener implements SampleListener {
    private final int index;

    Listener(int index) {
      this.index = index;
    }

    @Override
    public void began(int tokens) {
      cached.addAndGet(tokens);
    }

    @Override
    public void token(SampledToken token) {
      events.add(new Event(index, token, null, null));
    }

    @Override
    public void ended(Sample.StopReason reason) {
      events.add(new Event(index, null, reason, null));
    }

    @Override
    public void failed(Throwable error) {
      events.add(new Event(index, null, null, error));
    }

    @Override
    public boolean abandoned() {
      return closed;
    }
  }
}
