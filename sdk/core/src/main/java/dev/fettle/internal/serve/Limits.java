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
 * @param bodyBytes the largest request
 * @param announced bytes from which on a result is announced before it is sent, to a client that can take that
 */
public record Limits(Duration session, int queue, int models, int samplers, Duration poll, Duration gap, Duration kept,
    long bodyBytes, int announced) {
  /** What suits one machine. */
  public static Limits standard() {
    return new Limits(Duration.ofSeconds(300), 1024, 32, 64, Duration.ofSeconds(20), Duration.ofSeconds(60),
        Duration.ofMinutes(5), Math.min(256L << 20, Runtime.getRuntime().maxMemory() / 8), 4 << 20);
  }

  public Limits session(Duration value) {
    return new Limits(value, queue, models, samplers, poll, gap, kept, bodyBytes, announced);
  }

  public Limits queue(int value) {
    return new Limits(session, value, models, samplers, poll, gap, kept, bodyBytes, announced);
  }

  public Limits models(int value) {
    return new Limits(session, queue, value, samplers, poll, gap, kept, bodyBytes, announced);
  }

  public Limits samplers(int value) {
    return new Limits(session, queue, models, value, poll, gap, kept, bodyBytes, announced);
  }

  public Limits poll(Duration value) {
    return new Limits(session, queue, models, samplers, value, gap, kept, bodyBytes, announced);
  }

  public Limits gap(Duration value) {
    return new Limits(session, queue, models, samplers, poll, value, kept, bodyBytes, announced);
  }

  public Limits kept(Duration value) {
    return new Limits(session, queue, models, samplers, poll, gap, value, bodyBytes, announced);
  }

  public Limits announced(int value) {
    return new Limits(session, queue, models, samplers, poll, gap, kept, bodyBytes, value);
  }
}
