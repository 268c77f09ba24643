package dev.fettle.internal.ranking;

import dev.fettle.InvalidInputException;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/** The measures that the API offers by themselves. */
public final class Metrics {
  private Metrics() {}

  /** The value of one query. */
  public static final class OfQuery {
    private final Measure.Value value;

    private OfQuery(Measure.Value value) {
      this.value = value;
    }
  }

  /** nDCG of the first documents. */
  public static OfQuery ndcg(long k, boolean exponential) {
    return new OfQuery(judged -> Gains.normalised(judged, k, exponential));
  }

  /** One over the rank of the first relevant document. */
  public static OfQuery reciprocalRank(long k) {
    return new OfQuery(judged -> RankMeasures.reciprocalRank(judged, k));
  }

  /** Average precision. */
  public static OfQuery averagePrecision(long k) {
    return new OfQuery(judged -> RankMeasures.averagePrecision(judged, k));
  }

  /** Relevant documents among the first ones. */
  public static OfQuery precision(long k) {
    return new OfQuery(judged -> (double) judged.foundIn(k) / k);
  }

  /** The found share of the relevant documents. */
  public static OfQuery recall(long k) {
    return new OfQuery(judged -> judged.relevant() == 0 ? 0 : (double) judged.foundIn(k) / judged.relevant());
  }

  /** The value of each query that counts, in order. */
  public static Map<String, Double> values(Evaluation evaluation, OfQuery metric) {
    if (evaluation.queries().isEmpty()) {
      throw new InvalidInputException("no query has both a ranking in " + evaluation.run()
          + " and judgements: do the two belong together?");
    }
    Map<String, Double> values = new LinkedHashMap<>();
    evaluation.queries().forEach((query, judged) -> values.put(query, metric.value.of(judged)));
    return Collections.unmodifiableMap(values);
  }
}
