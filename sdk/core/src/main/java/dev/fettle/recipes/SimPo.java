package dev.fettle.recipes;

import dev.fettle.CustomLoss;
import dev.fettle.Dataset;
import dev.fettle.InvalidInputException;
import dev.fettle.Preference;
import dev.fettle.Training;
import dev.fettle.internal.NoNulls;
import dev.fettle.internal.OneLine;
import dev.fettle.recipes.Lessons.Lesson;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * Learning from preferences without a reference (SimPO, Meng et al. 2024): the chosen answer's mean logprob is raised above
 * the rejected one's by a margin. It takes half the time of {@link Dpo} in the first epoch, and nothing but the learning
 * rate holds the model near where it began.
 *
 * <pre>{@code
 * Run run = SimPo.on(training).data(Dataset.jsonl(Path.of("pairs.jsonl"))).beta(2).gamma(1).run();
 * }</pre>
 */
public final class SimPo extends PreferenceRecipe<SimPo> {
  private double beta = 2;
  private double gamma = 1;

  private SimPo(Training training) {
    super(training, "SimPo", "pair");
  }

  /** Begins with what is trained. */
  public static SimPo on(Training training) {
    return new SimPo(Objects.requireNonNull(training, "training"));
  }

  /** What to learn from, from memory. */
  public SimPo data(List<Preference> pairs) {
    return data(Dataset.of(NoNulls.in(pairs, "pairs")));
  }

  /**
   * What a nat of an answer's mean logprob is worth. Default 2, as in the paper.
   *
   * @throws InvalidInputException unless it is positive
   */
  public SimPo beta(double value) {
    beta = positive("beta", value);
    return this;
  }

  /**
   * By how much the chosen answer's reward is to be above that of the rejected one; the paper recommends half of beta. Default 1.
   *
   * @throws InvalidInputException if it is negative or not finite
   */
  public SimPo gamma(double margin) {
    gamma = notNegative("gamma", margin);
    return this;
  }

  /**
   * The loss {@code -mean(log sigmoid(beta pc - beta pr - gamma))} of data in which chosen and rejected answers take turns,
   * with p the mean of an answer's weighted logprobs. Its metrics are {@code accuracy}, {@code margin} without gamma,
   * {@code chosen_reward} and {@code rejected_reward}; a reward is {@code beta p}.
   */
  public static CustomLoss loss(double beta, double gamma) {
    return Answers.pairs((pair, chosen, chosenLogprobs, rejected, rejectedLogprobs) -> {
      double ofChosen = beta / Answers.length(chosen);
      double ofRejected = beta / Answers.length(rejected);
      double better = ofChosen * Answers.sum(chosen, chosenLogprobs);
      double worse = ofRejected * Answers.sum(rejected, rejectedLogprobs);
      double beyond = better - worse - gamma;
      double slope = Answers.sigmoid(-beyond);
      return new Answers.Scored(Answers.logisticLoss(beyond), better, worse, -slope * ofChosen, slope * ofRejected, Map.of());
    });
  }

  @Override
  boolean comparesWithStart() {
    return false;
  }

  @Override
  CustomLoss loss(List<Lesson> batch, List<Double> reference) {
    return loss(beta, gamma);
  }

  @Override
  Map<String, Object> settings() {
    Map<String, Object> settings = new LinkedHashMap<>();
    settings.put("beta", beta);
    settings.put("gamma", gamma);
    return settings;
  }

  @Override
  public String toString() {
    return OneLine.of("SimPo", source() + ", beta " + beta + ", gamma " + gamma + ", learning rate " + learningRate);
  }
}
