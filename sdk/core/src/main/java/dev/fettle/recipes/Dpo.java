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
 * Learning from preferences (DPO, Rafailov et al. 2023): the chosen answer is made likelier than the rejected one, by
 * comparison with the model as it was at the start.
 *
 * <pre>{@code
 * Run run = Dpo.on(training).data(Dataset.jsonl(Path.of("pairs.jsonl"))).beta(0.1).learningRate(1e-5).run();
 * }</pre>
 */
public final class Dpo extends PreferenceRecipe<Dpo> {
  private double beta = 0.1;

  private Dpo(Training training) {
    super(training, "Dpo", "pair");
  }

  /** Begins with what is trained. */
  public static Dpo on(Training training) {
    return new Dpo(Objects.requireNonNull(training, "training"));
  }

  /** What to learn from, from memory. */
  public Dpo data(List<Preference> pairs) {
    return data(Dataset.of(NoNulls.in(pairs, "pairs")));
  }

  /**
   * How strongly a preference must show before it counts as learnt: the less, the further the model may go. Default 0.1.
   *
   * @throws InvalidInputException unless it is positive
   */
  public Dpo beta(double value) {
    beta = positive("beta", value);
    return this;
  }

  /**
   * The loss {@code -mean(log sigmoid(beta ((pc - rc) - (pr - rr))))} of data in which chosen and rejected answers take
   * turns, with p the sum of an answer's weighted logprobs and r the same of the reference. Its metrics are
   * {@code accuracy}, {@code margin}, {@code chosen_reward} and {@code rejected_reward}; a reward is {@code beta (p - r)}.
   *
   * @param reference r of each of the data
   */
  public static CustomLoss loss(double beta, List<Double> reference) {
    List<Double> before = List.copyOf(NoNulls.in(reference, "reference"));
    return Answers.pairs((pair, chosen, chosenLogprobs, rejected, rejectedLogprobs) -> {
      double better = beta * (Answers.sum(chosen, chosenLogprobs) - before.get(2 * pair));
      double worse = beta * (Answers.sum(rejected, rejectedLogprobs) - before.get(2 * pair + 1));
      double slope = beta * Answers.sigmoid(worse - better);
      return new Answers.Scored(Answers.logisticLoss(better - worse), better, worse, -slope, slope, Map.of());
    });
  }

  @Override
  boolean comparesWithStart() {
    return true;
  }

  @Override
  CustomLoss loss(List<Lesson> batch, List<Double> reference) {
    return loss(beta, reference);
  }

  @Override
  Map<String, Object> settings() {
    return Map.of("beta", beta);
  }

  @Override
  public String toString() {
    return OneLine.of("Dpo", source() + ", beta " + beta + ", learning rate " + learningRate);
  }
}
