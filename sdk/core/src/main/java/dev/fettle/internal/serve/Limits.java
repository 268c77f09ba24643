package dev.fettle.internal.serve;

import java.time.Duration;

/**
 * What a server holds at most.
 *
 * @param session how long a client may be silent before what it made is freed
 * @param queue requests that wait or run, of all clients together; one client may have half of them
 * @param models trainings at a time
 * @param samplers snapshots that one client has in memory at a time
 * @param poll how long an unfinished future is waited for before the client has to ask again
 * @param gap how long a request waits for one with a lower sequence number
 * @param kept how long a result stays after it was fetched
 * @param announced bytes from which on a result is announced before it is sent, to a client that can take that
 * @param sizes of single requests, and how many of some things
 */
public record Limits(Duration session, int queue, int models, int samplers, Duration poll, Duration gap, Duration kept,
    int announced, Sizes sizes) {
  /**
   * The largest that a client may ask for. The engine's memory plan refuses what does not fit; these keep one request
   * from taking all that does.
   *
   * @param bodyBytes of one request
   * @param bodiesBytes of all requests that are being read
   * @param rank of an adapter
   * @param data of one pass
   * @param tokens of one pass, each counted once for each of its targets
   * @param samples of one request
   * @param sessions of all clients
   */
  public record Sizes(long bodyBytes, long bodiesBytes, int rank, int data, long tokens, int samples, int sessions) {
    /** What suits one machine. */
    public static Sizes standard() {
      long heap = Runtime.getRuntime().maxMemory();
      return new Sizes(Math.min(64L << 20, heap / 16), heap / 4, 1024, 16_384, 1 << 22, 1024, 1024);
    }
  }

  /** What suits one machine. */
  public static Limits standard() {
    return new Limits(Duration.ofSeconds(300), 1024, 128, 64, Duration.ofSeconds(20), Duration.ofSeconds(60),
        Duration.ofMinutes(5), 4 << 20, Sizes.standard());
  }

  public Limits session(Duration value) {
    return new Limits(value, queue, models, samplers, poll, gap, kept, announced, sizes);
  }

  public Limits queue(int value) {
    return new Limits(session, value, models, samplers, poll, gap, kept, announced, sizes);
  }

  public Limits models(int value) {
    return new Limits(session, queue, value, samplers, poll, gap, kept, announced, sizes);
  }

  public Limits samplers(int value) {
    return new Limits(session, queue, models, value, poll, gap, kept, announced, sizes);
  }

  public Limits poll(Duration value) {
    return new Limits(session, queue, models, samplers, value, gap, kept, announced, sizes);
  }

  public Limits gap(Duration value) {
    return new Limits(session, queue, models, samplers, poll, value, kept, announced, sizes);
  }

  public Limits kept(Duration value) {
    return new Limits(session, queue, models, samplers, poll, gap, value, announced, sizes);
  }

  public Limits announced(int value) {
    return new Limits(session, queue, models, samplers, poll, gap, kept, value, sizes);
  }

  public Limits sizes(Sizes value) {
    return new Limits(session, queue, models, samplers, poll, gap, kept, announced, value);
  }
}
