package dev.fettle.internal;

/**
 * What a model thinks of places of a sequence, row by row: row i is about the token after the i-th place that was asked for.
 *
 * @param top the likeliest tokens, the likeliest first
 * @param topLogprobs theirs
 * @param asked the logprobs of the tokens that were asked for
 */
public record TokenScores(int[][] top, float[][] topLogprobs, float[][] asked) {
  @Override
  public String toString() {
    return "TokenScores[" + top.length + " places]";
  }
}
