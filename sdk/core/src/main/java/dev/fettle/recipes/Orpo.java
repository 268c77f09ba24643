package dev.fettle.recipes;

import dev.fettle.CustomLoss;
import dev.fettle.Dataset;
import dev.fettle.InvalidInputException;
import dev.fettle.Preference;
import dev.fettle.Training;
import dev.fettle.internal.NoNulls;
import dev.fettle.internal.OneLine;
import dev.fettle.recipes.Lessons.Lesson;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * Learning answers and preferences at once (ORPO, Hong et al. 2024): the chosen answer is learnt as in {@link Sft}, and its
 * odds are raised above those of the rejected one. It needs no reference and no supervised training before it.
 *
 * <pre>{@code
 * Run run = Orpo.on(training).data(Dataset.jsonl(Path.of("pairs.jsonl"))).epochs(3).learningRate(1e-4).run();
 * }</pre>
 */
public final class Orpo extends PreferenceRecipe<Orpo> {
  /** The mean logprob nearest to 0 whose odds are computed: f32 has none nearer that is not 0 beside 1. */
  private static final double LIKELIEST = -0x1p-24;

  private double lambda = 0.1;

  private Orpo(Training training) {
    super(training, "Orpo", "pair");
  }

  /** Begins with what is trained. */
  public static Orpo on(Training training) {
    return new Orpo(Objects.requireNonNull(training, "training"));
  }

  /** What to learn from, from memory. */
  public Orpo data(List<Preference> pairs) {
    return data(Dataset.of(NoNulls.in(pairs, "pairs")));
  }

  /**
   * The weight of the preference beside the chosen answer's own loss; TRL calls it beta. Default 0.1.
   *
   * @throws InvalidInputException unless it is positive
   */
  public Orpo lambda(double weight) {
    lambda = positive("lambda", weight);
    return this;
  }

  /**
   * The loss {@code mean(-pc - lambda log sigmoid(odds(pc) - odds(pr)))} of data in which chosen and rejected answers take turns,
   * with p the mean of an answer's weighted logprobs and {@code odds(p) = p - log(1 - exp(p))}, equations 6 and 7 of the
   * paper; TRL counts the prompt's tokens in the first term too. Its metrics are {@code accuracy}, {@code margin},
   * {@code chosen_reward}, {@code rejected_reward}, {@code nll}, which is the mean of {@code -pc}, and {@code log_odds}, that of
   * the difference of the odds; a reward is {@code lambda p}.
   */
  public static CustomLoss loss(double lambda) {
    return Answers.pairs((pair, chosen, chosenLogprobs, rejected, rejectedLogprobs) -> {
      double better = Answers.sum(chosen, chosenLogprobs) / Answers.length(chosen);
      double worse = Answers.sum(rejected, rejectedLogprobs) / Answers.length(rejected);
      double odds = odds(better) - odds(worse);
      double slope = lambda * Answers.sigmoid(-odds);
      return new Answers.Scored(-better + lambda * Answers.logisticLoss(odds), lambda * better, lambda * worse,
          (-1 - slope * oddsSlope(better)) / Answers.length(chosen), slope * oddsSlope(worse) / Answers.length(rejected),
          Map.of("nll", -better, "log_odds", odds));
    });
  }

  private static double odds(double logprob) {
    double p = Math.min(logprob, LIKELIEST);
    return p - Math.log(-Math.expm1(p));
  }

  private static double oddsSlope(double logprob) {
    return -1 / Math.expm1(Math.min(logprob, LIKELIEST));
  }

  @Override
  boolean comparesWithStart() {
    return false;
  }

  @Override
  CustomLoss loss(List<Lesson> batch, List<Double> reference) {
    return loss(lambda);
  }

  @Override
  List<String> metrics() {
    return List.of("accuracy", "margin", "chosen_reward", "rejected_reward", "nll", "log_odds");
  }

  @Override
  Map<String, Object> settings() {
    return Map.of("lambda", lambda);
  }

  @Override
  public String toString() {
    return OneLine.of("Orpo", source() + ", lambda " + lambda + ", learning rate " + learningRate);
  }
}
