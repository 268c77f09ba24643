package dev.fettle.examples;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Quality against the number of training queries. */
final class RankCurve {
  private RankCurve() {}

  /**
   * A point of the curve.
   *
   * @param queries that it was trained on; 0 of the untuned model
   * @param values nDCG@10 by query, mean over seeds
   * @param seeds the mean of each
   */
  record Point(int queries, Map<String, Double> values, List<Double> seeds) {
    /** From the least seed to the greatest, if there are several. */
    String range() {
      return seeds.size() < 2 ? "" : String.format(Locale.ROOT, " (%.4f to %.4f)", seeds.stream().mapToDouble(v -> v).min().orElse(0),
          seeds.stream().mapToDouble(v -> v).max().orElse(0));
    }

    double mean() {
      return values.values().stream().mapToDouble(v -> v).average().orElse(Double.NaN);
    }

    /** Half of the range. */
    double spread() {
      return seeds.size() < 2 ? 0
          : (seeds.stream().mapToDouble(v -> v).max().orElse(0) - seeds.stream().mapToDouble(v -> v).min().orElse(0)) / 2;
    }
  }

  /** The points that are ready. */
  static List<Point> of(RankStudy study, RankScores scores, RankCollection collection) {
    String base = study.bases().get(0).name();
    List<Point> points = new ArrayList<>();
    add(points, 0, RankSystem.untuned(base), scores, collection);
    for (int queries : RankStudy.CURVE) {
      add(points, queries, RankSystem.tuned(base, "lora-" + queries), scores, collection);
    }
    add(points, collection.queries().size() - collection.fold(0).size(), RankSystem.tuned(base, "lora"), scores, collection);
    return points;
  }

  private static void add(List<Point> points, int queries, RankSystem system, RankScores scores, RankCollection collection) {
    Map<String, Double> values = scores.values(system, RankScores.Measure.NDCG, List.of(collection));
    if (!values.isEmpty()) {
      points.add(new Point(queries, values, system.isTuned() ? scores.means(system, collection) : List.of()));
    }
  }
}
