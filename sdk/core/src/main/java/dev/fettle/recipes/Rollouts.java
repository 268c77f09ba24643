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

/** Episodes on their way to a batch: their tokens, rewards and an advantage for each token. */
final class Rollouts {
  private final List<Episode> episodes = new ArrayList<>();
  private final List<float[]> advantages = new ArrayList<>();
  private final List<Double> rewards = new ArrayList<>();
  private final Map<String, Double> metrics = new LinkedHashMap<>();
  private final Map<String, Double> divergence = new LinkedHashMap<>();
  private double deviations;
  private int groups;
  private long answered;
  private long tokens;

  /** Adds a group; one whose episodes are all as good as each other teaches nothing and is left out, unless it is kept. */
  void add(List<Episode> group, double[] rewarded, double[] advantage, boolean keep) {
    groups++;
    Arrays.stream(rewarded).forEach(rewards::add);
    double mean = Arrays.stream(rewarded).average().orElse(0);
    deviations += Math.sqrt(Arrays.stream(rewarded).map(r -> (r - mean) * (r - mean)).average().orElse(0));
    boolean constant = Arrays.stream(advantage).allMatch(a -> a == 0);
    for (int i = 0; i < group.size(); i++) {
      count(group.get(i));
      if (!constant || keep) {
        keep(group.get(i), advantage[i]);
      }
    }
  }

  /** Adds an answer without a reward. */
  void add(Episode answer) {
    count(answer);
    keep(answer, 0);
  }

  /** Adds a figure of each episode, of which the mean becomes a metric. */
  void note(String metric, double value) {
    metrics.merge(metric, value, Double::sum);
  }

  private void count(Episode episode) {
    answered++;
    tokens += episode.tokens().length;
    note("answer_tokens", episode.sampled());
  }

  private void keep(Episode episode, double advantage) {
    float[] each = new float[episode.tokens().length];
    Arrays.fill(each, (float) advantage);
    episodes.add(episode);
    advantages.add(each);
  }

  /**
   * Takes {@code coefficient (d - mean d)} off the advantage of each token, with {@code d} the log-ratio of the policy and
   * another model; the mean is over all tokens sampled, as in the Tinker cookbook. It becomes a metric.
   */
  void penalise(Sampler other, double coefficient, String metric) {
    List<float[]> ratios = episodes.stream().map(episode -> episode.ratios(other)).toList();
    double sum = 0;
    long count = 0;
    for (int i = 0; i < episodes.size(); i++) {
      for (float ratio : ratios.get(i)) {
        sum += ratio;
      }
      count += episodes.get(i).sampled();
    }
    double mean = count == 0 ? 0 : sum / count;
    for (int i = 0; i < episodes.size(); i++) {
      for (int j = 0; j < ratios.get(i).length; j++) {
        if (episodes.get(i).isOwn(j)) {
          advantages.get(i)[j] += (float) (coefficient * (mean - ratios.get(i)[j]));
        }
      }
    }
    divergence.put(metric, mean);
  }

  /** An answer of which no more than so many tokens are kept. */
  static Sample cut(Sample answer, int most) {
    return answer.tokens().length <= most ? answer : new Sample(Arrays.copyOf(answer.tokens(), most),
        Arrays.copyOf(answer.logprobs(), most), answer.text(), Sample.StopReason.LENGTH);
  }

  boolean isEmpty() {
    return episodes.isEmpty();
  }

  /** How many tokens were read and sampled. */
  long tokens() {
    return tokens;
  }

  Batch batch() {
    List<Datum> data = new ArrayList<>();
    for (int i = 0; i < episodes.size(); i++) {
      data.add(episodes.get(i).datum(advantages.get(i)));
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
    metrics.forEach((name, sum) -> means.put(name, sum / answered));
    means.putAll(divergence);
    return means;
  }
}
