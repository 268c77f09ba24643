package dev.fettle.internal.local;

import dev.fettle.SamplingParams;
import dev.fettle.internal.torch.Scope;
import dev.fettle.internal.torch.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The next token of several samples, whose settings may differ: those with the same ones are chosen together. */
final class Choosing {
  private static final int[] NO_IDS = {};
  private static final float[] NO_LOGPROBS = {};

  private final int[] ids;
  private final float[] logprobs;
  private final int[][] top;
  private final float[][] topLogprobs;

  /** What of a sample's settings decides how its tokens are chosen. */
  private record Way(double temperature, int topK, double topP, int top) {
    static Way of(LiveSequence s) {
      SamplingParams p = s.params();
      return p.temperature() < Generation.COLDEST ? new Way(0, 0, 1, s.top())
          : new Way(p.temperature(), p.topK(), Math.max(p.topP(), Float.MIN_NORMAL), s.top());
    }
  }

  Choosing(Scope scope, Tensor logits, List<LiveSequence> samples) {
    this.ids = new int[samples.size()];
    this.logprobs = new float[samples.size()];
    this.top = new int[samples.size()][];
    this.topLogprobs = new float[samples.size()][];
    Map<Way, List<Integer>> ways = new LinkedHashMap<>();
    for (int i = 0; i < samples.size(); i++) {
      ways.computeIfAbsent(Way.of(samples.get(i)), w -> new ArrayList<>()).add(i);
    }
    ways.forEach((way, rows) -> choose(scope, ways.size() == 1 ? logits
        : scope.kernels().selectRows(logits, scope.longs(rows.stream().mapToInt(r -> r).toArray())), way, rows, samples));
  }

  private void choose(Scope scope, Tensor logits, Way way, List<Integer> rows, List<LiveSequence> samples) {
    float[] u = new float[rows.size()];
    for (int i = 0; i < u.length; i++) {
      u[i] = samples.get(rows.get(i)).next();
    }
    Tensor[] chosen = scope.kernels().sampleToken(logits, scope.floats(u), way.temperature, way.topK, way.topP);
    long[] tokens = chosen[0].longs();
    float[] own = chosen[1].floats();
    for (int i = 0; i < u.length; i++) {
      ids[rows.get(i)] = (int) tokens[i];
      logprobs[rows.get(i)] = own[i];
      top[rows.get(i)] = NO_IDS;
      topLogprobs[rows.get(i)] = NO_LOGPROBS;
    }
    if (way.top > 0) {
      likeliest(scope, logits, way.top, rows, chosen[0], own);
    }
  }

  /** From logits to logprobs it is the same distance for all tokens of a row. */
  private void likeliest(Scope scope, Tensor logits, int k, List<Integer> rows, Tensor chosen, float[] own) {
    Tensor column = scope.kernels().viewSlice(chosen, 0, new long[] {own.length, 1});
    float[] logit = scope.kernels().logprobsOf(logits, column).floats();
    Tensor[] likeliest = scope.kernels().likeliest(logits, k);
    long[] tokens = likeliest[0].longs();
    float[] theirs = likeliest[1].floats();
    for (int i = 0; i < own.length; i++) {
      int row = rows.get(i);
      top[row] = new int[k];
      topLogprobs[row] = new float[k];
      for (int j = 0; j < k; j++) {
        top[row][j] = (int) tokens[i * k + j];
        topLogprobs[row][j] = theirs[i * k + j] - logit[i] + own[i];
      }
    }
  }

  int id(int row) {
    return ids[row];
  }

  float logprob(int row) {
    return logprobs[row];
  }

  int[] top(int row) {
    return top[row];
  }

  float[] topLogprobs(int row) {
    return topLogprobs[row];
  }
}
