package dev.fettle.ranking;

import dev.fettle.InvalidInputException;
import dev.fettle.internal.ranking.Evaluation;
import dev.fettle.internal.ranking.Metrics;
import java.util.Map;

/**
 * A measure of one query's ranking, between 0 and 1; of a run, its mean over queries. Immutable and thread-safe.
 * Formulas are trec_eval's; the name says which kind of gain nDCG has.
 */
public final class Metric {
  private final String name;
  private final Metrics.OfQuery value;

  private Metric(String name, Metrics.OfQuery value) {
    this.name = name;
    this.value = value;
  }

  /**
   * nDCG of the first {@code k} documents with linear gain: the sum of grade / log2(rank + 1), over that of the best
   * possible ranking of all judged documents. trec_eval's {@code ndcg_cut}.
   */
  public static Metric ndcg(int k) {
    return new Metric("nDCG@" + cutoff(k) + " (linear gain)", Metrics.ndcg(k, false));
  }

  /** {@link #ndcg(int)} of the whole ranking; trec_eval's {@code ndcg}. */
  public static Metric ndcg() {
    return new Metric("nDCG (linear gain)", Metrics.ndcg(Long.MAX_VALUE, false));
  }

  /** nDCG of the first {@code k} documents with exponential gain: 2^grade - 1 in place of the grade. */
  public static Metric exponentialNdcg(int k) {
    return new Metric("nDCG@" + cutoff(k) + " (exponential gain)", Metrics.ndcg(k, true));
  }

  /** One over the rank of the first relevant document, 0 if there is none; trec_eval's {@code recip_rank}. */
  public static Metric mrr() {
    return new Metric("MRR", Metrics.reciprocalRank(Long.MAX_VALUE));
  }

  /** {@link #mrr()} of the first {@code k} documents. */
  public static Metric mrr(int k) {
    return new Metric("MRR@" + cutoff(k), Metrics.reciprocalRank(k));
  }

  /** Average precision: precision at each relevant document, over the number of relevant ones; {@code map}. */
  public static Metric map() {
    return new Metric("MAP", Metrics.averagePrecision(Long.MAX_VALUE));
  }

  /** {@link #map()} of the first {@code k} documents; {@code map_cut}. */
  public static Metric map(int k) {
    return new Metric("MAP@" + cutoff(k), Metrics.averagePrecision(k));
  }

  /** How many of the first {@code k} documents are relevant, over {@code k}; {@code P}. */
  public static Metric precision(int k) {
    return new Metric("Precision@" + cutoff(k), Metrics.precision(k));
  }

  /** How many of the relevant documents are among the first {@code k}, over all relevant ones; {@code recall}. */
  public static Metric recall(int k) {
    return new Metric("Recall@" + cutoff(k), Metrics.recall(k));
  }

  /** What it is called, such as {@code nDCG@10 (linear gain)}. */
  public String name() {
    return name;
  }

  Map<String, Double> values(Evaluation evaluation) {
    return Metrics.values(evaluation, value);
  }

  private static int cutoff(int k) {
    if (k < 1) {
      throw new InvalidInputException("k = " + k + ": must be at least 1");
    }
    return k;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Metric metric && metric.name.equals(name);
  }

  @Override
  public int hashCode() {
    return name.hashCode();
  }

  @Override
  public String toString() {
    return name;
  }
}
