package dev.fettle.internal.remote;

import dev.fettle.UnsupportedModelException;
import dev.fettle.internal.TokenScores;
import dev.fettle.internal.wire.Sampling;
import dev.fettle.internal.wire.Sampling.Likely;
import dev.fettle.internal.wire.TensorData;
import dev.fettle.internal.wire.WireException;
import java.util.Arrays;
import java.util.List;

/**
 * What a service is asked of the places of a prompt, and what it says; see
 * {@link dev.fettle.internal.SamplerBackend#scores}.
 *
 * @param places of the whole prompt: one less than its tokens
 */
record RemoteScores(int places, int from, int k, int[][] asked) {
  /** The tokens that are asked for, in a matrix in which nothing is asked of the places before the first; null if there are none. */
  TensorData targets() {
    int width = width();
    if (width == 0) {
      return null;
    }
    long[] ids = new long[places * width];
    Arrays.fill(ids, -1);
    for (int i = 0; i < asked.length; i++) {
      for (int j = 0; j < width; j++) {
        ids[(from + i) * width + j] = asked[i][j];
      }
    }
    return new TensorData(new long[] {places, width}, null, ids);
  }

  private int width() {
    return asked.length == 0 ? 0 : asked[0].length;
  }

  /** The scores of an answer. Services that do not know what they were asked leave it out. */
  TokenScores of(Sampling.Result result, ErrorMapper problems) {
    int rows = places - from;
    int width = width();
    List<List<Likely>> likely = result.topkPromptLogprobs();
    TensorData targets = result.targetPromptLogprobs();
    if (k > 0 && likely == null || width > 0 && targets == null) {
      throw new UnsupportedModelException("the service at " + problems.host() + " does not tell "
          + (k > 0 && likely == null ? "the likeliest tokens at a place" : "the logprobs of chosen tokens"));
    }
    if (k > 0 && likely.size() != places && likely.size() != places + 1 || width > 0 && targets.size() != (long) places * width) {
      throw problems.strange("asample for scores", new WireException("scores of " + (likely == null ? targets.size() : likely.size())
          + " places for a prompt of " + (places + 1) + " tokens"));
    }
    int[][] top = new int[k == 0 ? 0 : rows][];
    float[][] topLogprobs = new float[top.length][];
    for (int i = 0; i < top.length; i++) {
      List<Likely> row = likely.get(likely.size() - places + from + i);
      List<Likely> known = row == null ? List.of() : row;
      top[i] = known.stream().mapToInt(Likely::id).toArray();
      topLogprobs[i] = new float[known.size()];
      for (int j = 0; j < known.size(); j++) {
        topLogprobs[i][j] = known.get(j).logprob();
      }
    }
    float[][] values = new float[width == 0 ? 0 : rows][];
    float[] all = width == 0 ? new float[0] : targets.asFloats();
    for (int i = 0; i < values.length; i++) {
      values[i] = Arrays.copyOfRange(all, (from + i) * width, (from + i + 1) * width);
    }
    return new TokenScores(top, topLogprobs, values);
  }
}
