package dev.fettle.internal;

import dev.fettle.SamplingParams;
import java.util.List;

/**
 * Samples that are made beside all other work of an engine.
 *
 * @param params of each; the i-th listener's sample has the random numbers of the i-th of {@link SamplingParams#samples()}
 * @param top how many of the likeliest tokens are told of each place
 * @param specials whether special tokens are written out in the text
 * @param listeners one for each sample
 * @param apart whether they are decoded by themselves, so that the last digits, and with them now and then a token, do not depend
 *     on who else samples; otherwise they join those that are being made already, which is many times faster
 */
public record LiveRequest(int[] prompt, SamplingParams params, int top, boolean specials, List<? extends SampleListener> listeners,
    boolean apart) {
  public LiveRequest {
    listeners = List.copyOf(listeners);
  }

  /** Samples that join others. */
  public LiveRequest(int[] prompt, SamplingParams params, int top, boolean specials, List<? extends SampleListener> listeners) {
    this(prompt, params, top, specials, listeners, false);
  }

  @Override
  public String toString() {
    return "LiveRequest[" + prompt.length + " tokens, " + listeners.size() + " samples]";
  }
}
