package dev.fettle.ranking;

import dev.fettle.InvalidInputException;

/**
 * A loss over scores of texts for queries, averaged over the batch. An encoder's score {@code s(q, d)} is the dot product
 * of the vectors of query and text, their cosine where it scales vectors to length 1. A causal language model is asked
 * whether the text answers the query; its score is the logit of yes less the logit of no. Immutable.
 */
public sealed interface RankLoss
    permits RankLoss.Contrastive, RankLoss.Margin, RankLoss.Pointwise, RankLoss.RankNet, RankLoss.ListNet {
  /** The temperature of {@link #contrastive()}: the scale 20 of sentence-transformers. */
  double DEFAULT_TEMPERATURE = 0.05;

  /** {@link #contrastive(double)} with the temperature 0.05. */
  static Contrastive contrastive() {
    return contrastive(DEFAULT_TEMPERATURE);
  }

  /**
   * InfoNCE over the batch (van den Oord et al. 2018): the cross-entropy of each query's first text among the texts of
   * all queries, hard negatives included, by {@code s / temperature}. A text that equals the query's first one, and the
   * first text of a query that equals this one, are not counted against it. For encoders.
   *
   * @throws InvalidInputException unless the temperature is positive
   */
  static Contrastive contrastive(double temperature) {
    return new Contrastive(temperature, false);
  }

  /** {@link #margin(double)} with the scale 1. */
  static Margin margin() {
    return margin(1);
  }

  /**
   * Distillation of margins (Hofstätter et al. 2020): the mean over all hard negatives {@code n} of
   * {@code (scale (s(q, p) - s(q, n)) - (g(p) - g(n)))^2}, {@code p} the first text and {@code g} a teacher's scores,
   * given as {@link Ranked#grades()}.
   *
   * @throws InvalidInputException unless the scale is positive
   */
  static Margin margin(double scale) {
    return new Margin(scale);
  }

  /**
   * The mean over all texts of the binary cross-entropy of {@code sigmoid(s)} with the text's grade, from 0 (does not
   * answer) to 1 (answers). For causal language models.
   */
  static Pointwise pointwise() {
    return new Pointwise();
  }

  /** {@link #rankNet(double)} with the temperature 1. */
  static RankNet rankNet() {
    return rankNet(1);
  }

  /**
   * RankNet (Burges et al. 2005): the mean, over all pairs of texts of a query with {@code g(a) > g(b)}, of
   * {@code log(1 + exp((s(b) - s(a)) / temperature))}.
   *
   * @throws InvalidInputException unless the temperature is positive
   */
  static RankNet rankNet(double temperature) {
    return new RankNet(temperature);
  }

  /** {@link #listNet(double)} with the temperature 1. */
  static ListNet listNet() {
    return listNet(1);
  }

  /**
   * ListNet (Cao et al. 2007): the mean over queries of the cross-entropy between the softmax of the grades and the
   * softmax of {@code s / temperature}.
   *
   * @throws InvalidInputException unless the temperature is positive
   */
  static ListNet listNet(double temperature) {
    return new ListNet(temperature);
  }

  /** See {@link #contrastive(double)}. */
  record Contrastive(double temperature, boolean isSymmetric) implements RankLoss {
    public Contrastive {
      positive("temperature", temperature);
    }

    /** The mean of it and the same the other way round: each first text looks for its query among all queries. */
    public Contrastive symmetric() {
      return new Contrastive(temperature, true);
    }
  }

  /** See {@link #margin(double)}. */
  record Margin(double scale) implements RankLoss {
    public Margin {
      positive("scale", scale);
    }
  }

  /** See {@link #pointwise()}. */
  record Pointwise() implements RankLoss {}

  /** See {@link #rankNet(double)}. */
  record RankNet(double temperature) implements RankLoss {
    public RankNet {
      positive("temperature", temperature);
    }
  }

  /** See {@link #listNet(double)}. */
  record ListNet(double temperature) implements RankLoss {
    public ListNet {
      positive("temperature", temperature);
    }
  }

  private static void positive(String name, double value) {
    if (!(value > 0 && value < Double.POSITIVE_INFINITY)) {
      throw new InvalidInputException(name + " " + value + ": give a positive number");
    }
  }
}
