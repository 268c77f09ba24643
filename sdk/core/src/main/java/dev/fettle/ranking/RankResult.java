package dev.fettle.ranking;

import dev.fettle.internal.NoNulls;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * What a pass over ranked texts gives.
 *
 * @param loss the loss, averaged as {@link RankLoss} says
 * @param scores for each query the scores of its own texts, without scale or temperature
 * @param metrics further figures by name; {@code accuracy} is always among them: the share of queries whose first text has
 *     the best score, of a contrastive loss among all texts of the batch, else among the query's own
 */
public record RankResult(double loss, List<float[]> scores, Map<String, Double> metrics) {
  public RankResult {
    scores = List.copyOf(NoNulls.in(scores, "scores"));
    metrics = Map.copyOf(NoNulls.in(metrics, "metrics"));
  }

  @Override
  public String toString() {
    return String.format(Locale.ROOT, "RankResult[loss %.4f, accuracy %.3f, %d queries]", loss, metrics.get("accuracy"),
        scores.size());
  }
}
