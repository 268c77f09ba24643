package dev.fettle.examples;

import dev.fettle.internal.ranking.Bootstrap;
import dev.fettle.internal.ranking.Holm;
import dev.fettle.internal.ranking.Power;
import dev.fettle.ranking.Interval;
import dev.fettle.ranking.Scores;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import tools.jackson.databind.json.JsonMapper;

/** What {@link Rank} prints, and keeps with pictures in its directory. */
final class RankReport {
  private final RankStudy study;
  private final RankScores scores;
  private final RankFamily family;
  private final long seed;

  RankReport(RankStudy study, long seed) {
    this.study = study;
    this.scores = new RankScores(study);
    this.family = RankFamily.of(study.bases().stream().map(RankBase::name).toList());
    this.seed = seed;
  }

  /** Writes {@code report.md}, {@code per-query.json} and the pictures, and gives the report. */
  String write() {
    List<RankSystem> systems = systems();
    String text = String.join("\n\n", table(systems), verdicts(), levers(), curve(), dropped()) + "\n";
    study.store().write("report.md", text);
    Map<String, Map<String, Double>> all = new LinkedHashMap<>();
    systems.forEach(s -> all.put(s.name(), rounded(pooled(s, RankScores.Measure.NDCG))));
    study.store().write("per-query.json", new JsonMapper().writeValueAsString(all) + "\n");
    new RankPictures(study, scores, seed).write(systems);
    return text;
  }

  private static Map<String, Double> rounded(Map<String, Double> values) {
    Map<String, Double> all = new LinkedHashMap<>();
    values.forEach((query, value) -> all.put(query, Math.round(value * 1e4) / 1e4));
    return all;
  }

  private Map<String, Double> pooled(RankSystem system, RankScores.Measure measure) {
    return scores.values(system, measure, study.collections());
  }

  /** All that are ready on all collections. */
  private List<RankSystem> systems() {
    List<RankSystem> all = new ArrayList<>(List.of(RankSystem.WORDS));
    study.bases().forEach(base -> all.add(RankSystem.untuned(base.name())));
    all.add(RankSystem.reranked(study.bases().get(0).name()));
    RankStudy.METHODS.forEach(method -> all.add(RankSystem.tuned(study.bases().get(0).name(), method)));
    study.bases().stream().skip(1).forEach(base -> all.add(RankSystem.tuned(base.name(), "lora")));
    return all.stream().filter(s -> !pooled(s, RankScores.Measure.NDCG).isEmpty()).toList();
  }

  private String table(List<RankSystem> systems) {
    StringBuilder text = new StringBuilder("| system | nDCG@10 |");
    study.collections().forEach(c -> text.append(' ').append(c.name()).append(" |"));
    text.append(" recall@100 | residual nDCG@10 | over untuned | seeds | trained | saved | training | query | peak memory |\n")
        .append("|---".repeat(11 + study.collections().size())).append("|\n");
    systems.forEach(system -> text.append("| ").append(String.join(" | ", line(system))).append(" |\n"));
    int queries = pooled(RankSystem.WORDS, RankScores.Measure.NDCG).size();
    text.append(String.format(Locale.ROOT, "%n%d test queries of %d collections, each tested once by a model that its fold's queries "
        + "did not train, and counted alike; in brackets 95 %% bootstrap intervals over queries (%,d resamples, seed %d). "
        + "*residual*: without documents that are relevant to a training query, in rankings and judgements, of the queries that "
        + "keep a relevant one (%d). *over untuned*: the mean difference by query, not corrected. *training*: processor seconds "
        + "of the training steps, mean over folds; *query*: from text to ranking, one at a time. *peak memory*: of the whole "
        + "process, all base models and what earlier runs left included. Of several seeds the mean counts: the tests are over queries, "
        + "and what other seeds would change is not in them.", queries, study.collections().size(), Scores.RESAMPLES, seed,
        pooled(RankSystem.WORDS, RankScores.Measure.RESIDUAL).size()));
    return text.toString();
  }

  private List<String> line(RankSystem system) {
    List<String> cells = new ArrayList<>(List.of(system.name(), mean(pooled(system, RankScores.Measure.NDCG))));
    study.collections().forEach(c -> cells.add(String.format(Locale.ROOT, "%.4f", average(scores.values(system,
        RankScores.Measure.NDCG, List.of(c))))));
    cells.add(String.format(Locale.ROOT, "%.4f", average(pooled(system, RankScores.Measure.RECALL))));
    cells.add(mean(pooled(system, RankScores.Measure.RESIDUAL)));
    cells.add(system.isTuned() ? RankDifference.of(pooled(RankSystem.untuned(system.base()), RankScores.Measure.NDCG),
        pooled(system, RankScores.Measure.NDCG), seed).shown() : "");
    cells.add(system.isTuned() ? String.valueOf(study.collections().stream().mapToInt(c -> scores.seeds(system, c).size()).min()
        .orElse(0)) : "");
    cells.addAll(costs(system));
    return cells;
  }

  private List<String> costs(RankSystem system) {
    List<RankCosts> units = study.store().beginning(system.key() + ".");
    String query = String.format(Locale.ROOT, "%.1f ms", units.stream().mapToDouble(RankCosts::queryMillis).filter(q -> q > 0)
        .average().orElse(Double.NaN));
    String peak = String.format(Locale.ROOT, "%.2f GiB", units.stream().mapToLong(RankCosts::peakBytes).max().orElse(0)
        / (double) (1 << 30));
    if (!system.isTuned()) {
      return List.of("", "", "", query, peak);
    }
    return List.of(String.format(Locale.ROOT, "%,d", units.get(0).trained()),
        String.format(Locale.ROOT, "%.1f MB", units.stream().mapToLong(RankCosts::savedBytes).max().orElse(0) / 1e6),
        String.format(Locale.ROOT, "%.1f s", units.stream().mapToDouble(RankCosts::cpuSeconds).average().orElse(0)), query, peak);
  }

  private String mean(Map<String, Double> values) {
    if (values.isEmpty()) {
      return "";
    }
    Interval interval = Bootstrap.interval(values.values().stream().mapToDouble(v -> v).toArray(), Scores.RESAMPLES, seed);
    return String.format(Locale.ROOT, "%.4f [%.3f, %.3f]", average(values), interval.low(), interval.high());
  }

  private static double average(Map<String, Double> values) {
    return values.values().stream().mapToDouble(v -> v).average().orElse(Double.NaN);
  }

  private String verdicts() {
    List<RankFamily.Pair> made = family.pairs().stream().filter(p -> ready(p.first()) && ready(p.second())).toList();
    List<RankDifference> differences = made.stream().map(p -> difference(p, study.collections())).toList();
    double[] corrected = Holm.corrected(differences.stream().mapToDouble(RankDifference::p).toArray(), family.pairs().size());
    StringBuilder text = new StringBuilder("**Verdicts** (" + family.pairs().size() + " comparisons fixed before the run; paired "
        + "randomisation test over queries, " + String.format(Locale.ROOT, "%,d", Scores.SHUFFLES) + " sign changes, Holm over all of "
        + "them, also over the " + (family.pairs().size() - made.size()) + " not made)\n");
    for (int i = 0; i < made.size(); i++) {
      RankFamily.Pair pair = made.get(i);
      text.append("\n- ").append(differences.get(i).verdict(pair.first().name(), pair.second().name(), corrected[i]));
      if (study.collections().size() > 1) {
        List<String> alone = new ArrayList<>();
        study.collections().forEach(c -> {
          RankDifference own = difference(pair, List.of(c));
          alone.add(c.name() + " alone " + own.shown() + ", " + RankDifference.shown(own.p()));
        });
        text.append(" (Uncorrected: ").append(String.join("; ", alone)).append(".)");
      }
    }
    return text.append("\n\n").append(winner(made, differences, corrected)).append("\n\n").append(power(made, differences)).toString();
  }

  private boolean ready(RankSystem system) {
    return !pooled(system, RankScores.Measure.NDCG).isEmpty();
  }

  private RankDifference difference(RankFamily.Pair pair, List<RankCollection> collections) {
    return RankDifference.of(scores.values(pair.first(), RankScores.Measure.NDCG, collections),
        scores.values(pair.second(), RankScores.Measure.NDCG, collections), seed);
  }

  /** A way of tuning is called the best only if the test tells it from both others. */
  private static String winner(List<RankFamily.Pair> made, List<RankDifference> differences, double... corrected) {
    Map<String, Integer> won = new LinkedHashMap<>();
    for (int i = 0; i < made.size(); i++) {
      if (made.get(i).first().isTuned() && corrected[i] < RankDifference.ALPHA) {
        won.merge((differences.get(i).mean() > 0 ? made.get(i).second() : made.get(i).first()).name(), 1, Integer::sum);
      }
    }
    return won.entrySet().stream().filter(e -> e.getValue() == RankStudy.METHODS.size() - 1)
        .map(e -> "Of the ways of tuning " + e.getKey() + " is the best.").findFirst()
        .orElse("No way of tuning is called the best: none is told from both others.");
  }

  private String power(List<RankFamily.Pair> made, List<RankDifference> differences) {
    StringBuilder text = new StringBuilder("**Power**: what these queries would have shown four times in five, at 0.05 and, in "
        + "brackets, at the strictest level of Holm's correction, by the spread that was seen:");
    for (int i = 0; i < made.size(); i++) {
      text.append(String.format(Locale.ROOT, "%s %s against %s %.3f (%.3f)", i == 0 ? "" : ";", made.get(i).second().name(),
          made.get(i).first().name(), differences.get(i).detectable(), Power.detectable(differences.get(i).values(),
              RankDifference.ALPHA / family.pairs().size(), RankDifference.POWER)));
    }
    return text.append('.').toString();
  }

  private String levers() {
    StringBuilder text = new StringBuilder("**Levers**, each tried on " + study.collections().get(0).name() + " within the training "
        + "folds (LoRA, seed 1): trained without the fold that is tested and the one that judges, judged by nDCG@10 among about a third "
        + "of the documents; every query judges once.\n");
    List<RankSetting> tried = study.tried();
    if (tried.isEmpty()) {
      return text + "\nNone was tried: the start setting holds for all.";
    }
    text.append("\n| lever | nDCG@10 | over the start | p, uncorrected | chosen for folds |\n|---|---|---|---|---|\n");
    int folds = study.collections().get(0).folds();
    Map<String, Double> start = judged(RankSetting.START);
    Map<String, Double> untuned = new LinkedHashMap<>();
    RankCollection collection = study.collections().get(0);
    for (int fold = 0; fold < folds; fold++) {
      untuned.putAll(RankTrainer.untuned(collection, study.store().run(RankSearches.untuned(study.bases().get(0), collection)), fold));
    }
    RankDifference base = RankDifference.of(start, untuned, seed);
    text.append(String.format(Locale.ROOT, "| (the model untuned) | %.4f | %s | %s | |%n", average(untuned), base.shown(),
        RankDifference.shown(base.p())));
    for (RankSetting setting : tried) {
      List<String> chosen = new ArrayList<>();
      for (int fold = 0; fold < folds; fold++) {
        if (study.chosen(fold).equals(setting)) {
          chosen.add(String.valueOf(fold + 1));
        }
      }
      RankDifference difference = RankDifference.of(start, judged(setting), seed);
      boolean first = setting.equals(RankSetting.START);
      text.append(String.format(Locale.ROOT, "| %s: %s | %.4f | %s | %s | %s |%n", setting.name(), setting.words(),
          average(judged(setting)), first ? "" : difference.shown(), first ? "" : RankDifference.shown(difference.p()),
          String.join(", ", chosen)));
    }
    return text.toString().stripTrailing();
  }

  private Map<String, Double> judged(RankSetting setting) {
    Map<String, Double> all = new LinkedHashMap<>();
    for (int fold = 0; fold < study.collections().get(0).folds(); fold++) {
      all.putAll(study.lever(setting, fold).quality());
    }
    return all;
  }

  private String curve() {
    StringBuilder text = new StringBuilder("**Learning curve**, LoRA of " + study.bases().get(0).name()
        + ": nDCG@10 by the number of training queries, mean over seeds and their range.\n\n"
        + "| collection | training queries | nDCG@10 | seeds | over untuned | p, uncorrected |\n|---|---|---|---|---|---|\n");
    for (RankCollection collection : study.collections()) {
      for (RankCurve.Point point : RankCurve.of(study, scores, collection)) {
        Map<String, Double> untuned = scores.values(RankSystem.untuned(study.bases().get(0).name()), RankScores.Measure.NDCG,
            List.of(collection));
        RankDifference difference = RankDifference.of(untuned, point.values(), seed);
        text.append(String.format(Locale.ROOT, "| %s | %s | %.4f%s | %s | %s | %s |%n", collection.name(), point.queries(),
            average(point.values()), point.range(), point.queries() == 0 ? "" : point.seeds().size(),
            point.queries() == 0 ? "" : difference.shown(), point.queries() == 0 ? "" : RankDifference.shown(difference.p())));
      }
    }
    return text.toString().stripTrailing();
  }

  private String dropped() {
    return study.dropped().isEmpty() ? "All that was planned was done."
        : "**Not done**, since the budget had no room: " + String.join("; ", study.dropped()) + ".";
  }
}
