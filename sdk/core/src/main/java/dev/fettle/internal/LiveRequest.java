package dev.fettle.internal;

import dev.fettle.SamplingParams;
import java.util.List;

/**
 * Samples that join those which a sampler makes already.
 *
 * @param params of each; the i-th listener's sample has the random numbers of the i-th of {@link SamplingParams#samples()}
 * @param top how many of the likeliest tokens are told of each place
 * @param specials whether special tokens are written out in the text
 * @param listeners one for each sample
 */
public record LiveRequest(int[] prompt, SamplingParams params, int top, boolean specials, List<? extends SampleListener> listeners) {
  public LiveRequest {
    listeners = List.copyOf(listeners);
  }

  @Override
  public String toString() {
    return "LiveRequest[" + prompt.length + " tokens, " + listeners.size() + " samples]";
  }
}
