package dev.fettle.examples;

import dev.fettle.ranking.Difference;
import dev.fettle.ranking.Interval;
import dev.fettle.ranking.Metric;
import dev.fettle.ranking.Qrels;
import dev.fettle.ranking.RankedRun;
import dev.fettle.ranking.Ranking;
import dev.fettle.ranking.Scores;
import dev.fettle.recipes.Comparison;
import dev.fettle.recipes.ComparisonResult;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * What {@link Rank} prints. Of a method with several seeds each query's value is the mean over them, so that intervals
 * and tests are over queries.
 */
final class RankReport {
  private final RankRuns runs;
  private final ComparisonResult compared;
  private final long seed;
  private final Set<String> seen;
  private final Qrels judged;
  private final Qrels residual;

  RankReport(RankTask task, RankRuns runs, ComparisonResult compared, long seed) {
    this.runs = runs;
    this.compared = compared;
    this.seed = seed;
    this.seen = task.collection().trainPositives();
    this.judged = task.collection().part("test").qrels();
    this.residual = residual(judged, seen);
  }

  String markdown() {
    List<String> systems = new ArrayList<>(List.of(RankRuns.BM25));
    compared.rows().forEach(row -> systems.add(row.method()));
    if (runs.has(RankRuns.RERANKED)) {
      systems.add(2, RankRuns.RERANKED);
    }
    StringBuilder text = new StringBuilder("| system | nDCG@10 | nDCG@10, 2^gain - 1 | residual nDCG@10 | over base | "
        + "p | over BM25 | p | training | search | peak memory | saved |\n" + "|---".repeat(12) + "|\n");
    systems.forEach(system -> text.append(line(system)).append('\n'));
    text.append(String.format(Locale.ROOT, "%n%d test queries, linear gain unless said otherwise; in brackets 95 %% "
        + "bootstrap intervals over queries (%,d resamples, seed %d). *over*: the mean difference by query with its "
        + "paired interval and the two-sided p of the paired randomisation test over queries (%,d sign changes), not "
        + "corrected for the number of comparisons. *residual*: all %d documents relevant to a training query are "
        + "taken from rankings and judgements, which leaves %d queries. *search*: all documents become vectors or an "
        + "index, then all queries are answered.%n", judged.queries().size(), Scores.RESAMPLES, seed, Scores.SHUFFLES,
        seen.size(), residual.queries().size()));
    Scores base = scores(Comparison.BASE, Metric.ndcg(10));
    for (String system : systems) {
      if (!RankRuns.isOne(system)) {
        text.append('\n').append(verdict(base.to(scores(system, Metric.ndcg(10)), seed)));
      }
    }
    text.append("\n\nWith the spread over seeds and Holm's correction, as `Comparison` has it:\n\n");
    return text.append(compared.markdown()).toString();
  }

  /** Whether a tuned model differs from the base model, in words. */
  static String verdict(Difference difference) {
    String is = !difference.significant() ? " cannot be told from "
        : difference.mean() > 0 ? " is significantly better than " : " is significantly worse than ";
    return String.format(Locale.ROOT, "%s%sthe base model (%+.4f, paired randomisation test, p %.4f).",
        difference.second(), is, difference.mean(), difference.randomisationP());
  }

  private String line(String system) {
    Scores scores = scores(system, Metric.ndcg(10));
    Scores left = scores(system, Metric.ndcg(10), residual, seen);
    List<String> cells = new ArrayList<>(List.of(system, mean(scores), mean(scores(system, Metric.exponentialNdcg(10))),
        mean(left)));
    for (String other : List.of(Comparison.BASE, RankRuns.BM25)) {
      if (system.equals(other)) {
        cells.addAll(List.of("", ""));
      } else {
        Difference difference = scores(other, Metric.ndcg(10)).to(scores, seed);
        cells.add(String.format(Locale.ROOT, "%+.4f ", difference.mean()) + shown(difference.interval()));
        cells.add(String.format(Locale.ROOT, "%.4f", difference.randomisationP()));
      }
    }
    cells.addAll(costs(system));
    return "| " + String.join(" | ", cells) + " |";
  }

  private List<String> costs(String system) {
    if (RankRuns.isOne(system)) {
      return List.of("", String.format(Locale.ROOT, "%.1f s", runs.seconds(system)), "", "");
    }
    ComparisonResult.Row row = compared.row(system);
    return List.of(String.format(Locale.ROOT, "%.1f s", row.seconds()), "as base",
        row.peakBytes() < 0 ? "" : String.format(Locale.ROOT, "%.2f GiB", row.peakBytes() / (double) (1 << 30)),
        String.format(Locale.ROOT, "%.1f MB", row.savedBytes() / 1e6));
  }

  private Scores scores(String system, Metric metric) {
    return scores(system, metric, judged, Set.of());
  }

  private Scores scores(String system, Metric metric, Qrels qrels, Set<String> without) {
    int count = RankRuns.isOne(system) && !system.equals(Comparison.BASE) ? 1 : compared.row(system).quality().size();
    List<Scores> all = new ArrayList<>();
    for (RankedRun run : runs.of(system, count)) {
      RankedRun left = run.only(qrels.queries()).without(without);
      all.add(Ranking.of(qrels, left).complete().score(metric));
    }
    return Scores.mean(system, all);
  }

  private String mean(Scores scores) {
    return String.format(Locale.ROOT, "%.4f ", scores.mean()) + shown(scores.interval(seed));
  }

  private static String shown(Interval interval) {
    return String.format(Locale.ROOT, "[%.3f, %.3f]", interval.low(), interval.high());
  }

  /** Judgements without documents, of the queries that keep a relevant one. */
  static Qrels residual(Qrels qrels, Set<String> documents) {
    Qrels rest = qrels.without(documents);
    return rest.only(rest.queries().stream()
        .filter(query -> rest.grades(query).values().stream().anyMatch(grade -> grade > 0))
        .collect(Collectors.toSet()));
  }
}
