package dev.fettle.internal.openai;

import java.io.IOException;

/** Waits for what comes of samples while it looks whether the client is still there. */
final class Reading {
  private static final long BEAT_MILLIS = 1000;

  private Reading() {}

  /** What is to be done with an event, and what after all that were there. */
  interface Reader {
    void read(Samples.Event event) throws IOException;

    /** Nothing more is there at the moment. */
    void pause() throws IOException;
  }

  /**
   * Reads until all samples are whole. Before the first event nothing is sent: the samples may yet be refused.
   *
   * @param beat tells whether the client is there
   */
  static void all(Samples samples, Reader reader, Beat beat) throws IOException {
    boolean any = false;
    long last = System.nanoTime();
    while (!samples.complete()) {
      Samples.Event event = samples.next(BEAT_MILLIS);
      if (event != null) {
        reader.read(event);
        any = true;
        if (!samples.hasMore()) {
          reader.pause();
        }
      }
      if (any && System.nanoTime() - last > BEAT_MILLIS * 1_000_000) {
        beat.beat();
        last = System.nanoTime();
      }
    }
  }

  /** Something that is written from time to time. */
  @FunctionalInterface
  interface Beat {
    void beat() throws IOException;
  }
}
