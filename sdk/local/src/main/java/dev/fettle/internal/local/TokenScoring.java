package dev.fettle.internal.local;

import dev.fettle.internal.TokenScores;
import dev.fettle.internal.network.Head;
import dev.fettle.internal.torch.Scope;
import dev.fettle.internal.torch.Tensor;
import java.util.Arrays;

/** Reads the likeliest tokens, and the logprobs of some, off log probabilities as they come. */
final class TokenScoring implements Head.Reading {
  private final int k;
  private final int[][] asked;
  private final int[][] top;
  private final float[][] topLogprobs;
  private final float[][] askedLogprobs;

  /** For so many places; {@code asked} has a row for each of them, or none at all. */
  TokenScoring(int places, int k, int[][] asked) {
    this.k = k;
    this.asked = asked;
    this.top = new int[places][k];
    this.topLogprobs = new float[places][k];
    this.askedLogprobs = new float[places][asked.length == 0 ? 0 : asked[0].length];
  }

  @Override
  public void of(Scope piece, int first, int count, Tensor logprobs) {
    if (k > 0) {
      Tensor[] likeliest = piece.kernels().likeliest(logprobs, k);
      long[] ids = likeliest[0].longs();
      float[] values = likeliest[1].floats();
      for (int i = 0; i < count * k; i++) {
        top[first + i / k][i % k] = (int) ids[i];
        topLogprobs[first + i / k][i % k] = values[i];
      }
    }
    int width = askedLogprobs.length == 0 ? 0 : askedLogprobs[0].length;
    if (width > 0) {
      int[] flat = Arrays.stream(asked, first, first + count).flatMapToInt(Arrays::stream).toArray();
      Tensor ids = piece.kernels().viewSlice(piece.longs(flat), 0, new long[] {count, width});
      float[] values = piece.kernels().logprobsOf(logprobs, ids).floats();
      for (int i = 0; i < values.length; i++) {
        askedLogprobs[first + i / width][i % width] = values[i];
      }
    }
  }

  TokenScores result() {
    return new TokenScores(top, topLogprobs, askedLogprobs);
  }
}
