package dev.fettle.recipes;

import dev.fettle.Batch;
import dev.fettle.Datum;
import dev.fettle.Sample;
import dev.fettle.Sampler;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Sampled answers on their way to a batch: their tokens, rewards and an advantage for each token. */
final class Rollouts {
  private final List<int[]> prompts = new ArrayList<>();
  private final List<Sample> samples = new ArrayList<>();
  private final List<float[]> advantages = new ArrayList<>();
  private final List<Double> rewards = new ArrayList<>();
  private final Map<String, Double> metrics = new LinkedHashMap<>();
  private double deviations;
  private int groups;
  private long answered;
  private long tokens;

  /** Adds a group; one whose answers are all as good as each other teaches nothing and is left out, unless it is kept. */
  void add(int[] prompt, List<Sample> answers, double[] rewarded, double[] advantage, boolean keep) {
    groups++;
    Arrays.stream(rewarded).forEach(rewards::add);
    double mean = Arrays.stream(rewarded).average().orElse(0);
    deviations += Math.sqrt(Arrays.stream(rewarded).map(r -> (r - mean) * (r - mean)).average().orElse(0));
    boolean constant = Arrays.stream(advantage).allMatch(a -> a == 0);
    for (int i = 0; i < answers.size(); i++) {
      float[] each = new float[answers.get(i).tokens().length];
      Arrays.fill(each, (float) advantage[i]);
      count(prompt, answers.get(i));
      if (!constant || keep) {
        keep(prompt, answers.get(i), each);
      }
    }
  }

  /** Adds an answer without a reward. */
  void add(int[] prompt, Sample answer) {
    count(prompt, answer);
    keep(prompt, answer, new float[answer.tokens().length]);
  }

  private void count(int[] prompt, Sample answer) {
    answered++;
    tokens += prompt.length + answer.tokens().length;
    metrics.merge("answer_tokens", (double) answer.tokens().length, Double::sum);
  }

  private void keep(int[] prompt, Sample answer, float[] each) {
    prompts.add(prompt);
    samples.add(answer);
    advantages.add(each);
  }

  /**
   * Takes {@code coefficient (d - mean d)} off the advantage of each token, with {@code d} the log-ratio of the policy and
   * another model; the mean is over all tokens sampled, as in the Tinker cookbook. It becomes a metric.
   */
  void penalise(Sampler other, double coefficient, String metric) {
    List<float[]> ratios = new ArrayList<>();
    double sum = 0;
    long count = 0;
    for (int i = 0; i < samples.size(); i++) {
      float[] of = logprobs(other, prompts.get(i), samples.get(i));
      float[] ratio = new float[of.length];
      for (int j = 0; j < of.length; j++) {
        ratio[j] = samples.get(i).logprobs()[j] - of[j];
        sum += ratio[j];
        count++;
      }
      ratios.add(ratio);
    }
    double mean = count == 0 ? 0 : sum / count;
    for (int i = 0; i < samples.size(); i++) {
      for (int j = 0; j < ratios.get(i).length; j++) {
        advantages.get(i)[j] += (float) (coefficient * (mean - ratios.get(i)[j]));
      }
    }
    metrics.put(metric, mean);
  }

  /** The logprob of each token of an answer under another model. */
  static float[] logprobs(Sampler model, int[] prompt, Sample answer) {
    float[] all = model.logprobs(joined(prompt, answer));
    return Arrays.copyOfRange(all, prompt.length - 1, all.length);
  }

  private static int[] joined(int[] prompt, Sample answer) {
    int[] all = Arrays.copyOf(prompt, prompt.length + answer.tokens().length);
    System.arraycopy(answer.tokens(), 0, all, prompt.length, answer.tokens().length);
    return all;
  }

  /** An answer of which no more than so many tokens are kept. */
  static Sample cut(Sample answer, int most) {
    return answer.tokens().length <= most ? answer : new Sample(Arrays.copyOf(answer.tokens(), most),
        Arrays.copyOf(answer.logprobs(), most), answer.text(), Sample.StopReason.LENGTH);
  }

  boolean isEmpty() {
    return samples.isEmpty();
  }

  /** How many tokens were read and sampled. */
  long tokens() {
    return tokens;
  }

  Batch batch() {
    List<Datum> data = new ArrayList<>();
    for (int i = 0; i < samples.size(); i++) {
      data.add(Datum.sampled(prompts.get(i), samples.get(i), advantages.get(i)));
    }
    return Batch.of(data);
  }

  /** Means over all answers, those left out included. */
  Map<String, Double> metrics() {
    Map<String, Double> means = new LinkedHashMap<>();
    if (!rewards.isEmpty()) {
      means.put("reward", rewards.stream().mapToDouble(Double::doubleValue).average().orElse(0));
      means.put("reward_deviation", deviations / groups);
    }
    means.putAll(metrics);
    means.computeIfPresent("answer_tokens", (k, sum) -> sum / answered);
    return means;
  }
}
