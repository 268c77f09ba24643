package dev.fettle.internal;

/**
 * A token of a sample, with what else the model thought of its place.
 *
 * @param text what is certain now of the sample's text, see {@link dev.fettle.Token}
 * @param logprob under the model itself, in nats
 * @param end whether it ended the sample and so is no part of its text
 * @param top the likeliest tokens, the likeliest first
 * @param topLogprobs theirs
 */
public record SampledToken(int id, String text, float logprob, boolean end, int[] top, float[] topLogprobs) {
  @Override
  public String toString() {
    return "SampledToken[" + id + "]";
  }
}
