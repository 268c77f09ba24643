package dev.fettle.ranking;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.fettle.InvalidInputException;
import dev.fettle.internal.json.JsonNode;
import dev.fettle.internal.json.JsonReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

class RankingTest {
  private static final Path SHARED = Path.of(System.getProperty("fettle.shared", "../../shared"), "data");
  private static final Path CRANFIELD = SHARED.resolve("cranfield");
  private static final Qrels QRELS = Qrels.of(Map.of("q", Map.of("a", 2, "b", 1, "c", 0, "d", -1)));

  private static double score(Metric metric, String... ranking) {
    return Ranking.of(QRELS, run("q", ranking)).score(metric).mean();
  }

  private static RankedRun run(String query, String... ranking) {
    Map<String, Double> scores = new HashMap<>();
    for (int i = 0; i < ranking.length; i++) {
      scores.put(ranking[i], -1.0 * i);
    }
    return RankedRun.of("run", Map.of(query, scores));
  }

  @Test
  void eachMetricIsItsFormula() {
    assertThat(score(Metric.ndcg(3), "b", "x", "a")).isEqualTo((1 + 2 / 2.0) / (2 + 1 / (Math.log(3) / Math.log(2))),
        within(1e-12));
    assertThat(score(Metric.exponentialNdcg(3), "b", "x", "a"))
        .isEqualTo((1 + 3 / 2.0) / (3 + 1 / (Math.log(3) / Math.log(2))), within(1e-12));
    assertThat(score(Metric.ndcg(2), "b", "x", "a")).isEqualTo(1 / (2 + 1 / (Math.log(3) / Math.log(2))),
        within(1e-12));
    assertThat(score(Metric.mrr(), "x", "c", "d", "a")).isEqualTo(0.25);
    assertThat(score(Metric.mrr(3), "x", "c", "d", "a")).isZero();
    assertThat(score(Metric.map(), "b", "x", "a")).isEqualTo((1 + 2 / 3.0) / 2, within(1e-12));
    assertThat(score(Metric.map(2), "b", "x", "a")).isEqualTo(0.5);
    assertThat(score(Metric.precision(5), "b", "x", "a")).isEqualTo(0.4);
    assertThat(score(Metric.recall(1), "b", "x", "a")).isEqualTo(0.5);
  }

  @Test
  void theNameSaysWhichGain() {
    assertThat(Metric.ndcg(10)).hasToString("nDCG@10 (linear gain)");
    assertThat(Metric.exponentialNdcg(10)).hasToString("nDCG@10 (exponential gain)").isNotEqualTo(Metric.ndcg(10));
    assertThat(Ranking.of(QRELS, run("q", "a")).score(Metric.ndcg(10)))
        .hasToString("Scores[run nDCG@10 (linear gain) 0.7602, 1 queries]");
  }

  @Test
  void scoresOfSeveralRunsAreAveragedByQuery() {
    Qrels qrels = Qrels.of(Map.of("q", Map.of("a", 1), "r", Map.of("a", 1)));
    Scores first = Ranking.of(qrels, run("q", "a")).complete().score(Metric.mrr());
    Scores second = Ranking.of(qrels, run("q", "x", "a")).complete().score(Metric.mrr());

    Scores mean = Scores.mean("both", List.of(first, second));

    assertThat(mean.perQuery()).isEqualTo(Map.of("q", 0.75, "r", 0.0));
    assertThat(mean.run()).isEqualTo("both");
    assertThat(first.to(mean, 0).mean()).isEqualTo(-0.125);
    assertThatThrownBy(() -> Scores.mean("none", List.of())).isInstanceOf(InvalidInputException.class);
    assertThatThrownBy(() -> Scores.mean("odd", List.of(first, Ranking.of(qrels, run("q", "a")).score(Metric.mrr()))))
        .isInstanceOf(InvalidInputException.class).hasMessageContaining("same queries");
  }

  @Test
  void equalScoresAreOrderedByTheNameDescendingInUtf8() {
    RankedRun run = RankedRun.of("ties", Map.of("q", Map.of("a", 1, "b", 1.0f, "B", 1L, "\uD83D\uDE00", 1.0, "\uFFFD",
        1.0,
        "0", 0.0, "1", -0.0)));

    assertThat(run.ranking("q")).extracting(Hit::document).containsExactly("\uD83D\uDE00", "\uFFFD", "b", "a", "B",
        "1", "0");
  }

  @Test
  void queriesThatMissOnEitherSideAreLeftOutUnlessCompleteIsAskedFor() {
    Qrels qrels = Qrels.of(Map.of("1", Map.of("a", 1), "2", Map.of("a", 1)));
    Ranking ranking = Ranking.of(qrels, RankedRun.of("r", Map.of("1", Map.of("a", 1), "3", Map.of("a", 1))));

    assertThat(ranking.score(Metric.map()).perQuery()).containsExactly(Map.entry("1", 1.0));
    assertThat(ranking.complete().score(Metric.map()).perQuery()).containsExactly(Map.entry("1", 1.0), Map.entry("2",
        0.0));
    assertThatThrownBy(() -> Ranking.of(qrels, run("9", "a")).score(Metric.map()))
        .isInstanceOf(InvalidInputException.class).hasMessageContaining("no query has both");
  }

  @Test
  void theLevelOfRelevanceChangesWhatCountsButNotTheGains() {
    Ranking ranking = Ranking.of(QRELS, run("q", "b", "a"));

    assertThat(ranking.relevantFrom(2).score(Metric.mrr()).mean()).isEqualTo(0.5);
    assertThat(ranking.relevantFrom(2).score(Metric.ndcg(10))).hasToString(ranking.score(Metric.ndcg(10)).toString());
    assertThat(ranking.relevantFrom(3).score(Metric.map()).mean()).isZero();
  }

  @Test
  void unjudgedDocumentsCanBeTakenOutAndLongRankingsCut() {
    Ranking ranking = Ranking.of(QRELS, run("q", "x", "d", "c", "a"));

    assertThat(ranking.score(Metric.mrr()).mean()).isEqualTo(0.25);
    assertThat(ranking.judgedOnly().score(Metric.mrr()).mean()).isEqualTo(0.5);
    assertThat(ranking.depth(3).score(Metric.mrr()).mean()).isZero();
  }

  @Test
  void recallPointsAreRoundedToTheNearestDocumentAsInVersionTen() {
    // A tenth of 14 relevant documents is 1.4: one in version 10, two in version 9, which adds 0.9 before it cuts.
    Map<String, Integer> grades = new HashMap<>();
    for (int i = 0; i < 14; i++) {
      grades.put("r" + i, 1);
    }
    Ranking ranking = Ranking.of(Qrels.of(Map.of("q", grades)), run("q", "r0", "x", "r1"));

    assertThat(ranking.trecEval(false, true, "iprec_at_recall.0.1"))
        .containsExactly("iprec_at_recall_0.10  \tall\t1.0000");
    assertThat(ranking.asTrecEval9().trecEval(false, true, "iprec_at_recall.0.1"))
        .containsExactly("iprec_at_recall_0.10  \tall\t0.6667");
  }

  @Test
  void valuesEqualPublishedOnes() throws Exception {
    Path file = SHARED.resolve("ndcg-small/ndcg-small.json");
    assumeTrue(Files.exists(file), file + " is not there: give -Dfettle.shared=DIR");
    int compared = 0;
    for (JsonNode example : JsonReader.STANDARD.read(Files.readString(file))) {
      if (!example.has("run")) {
        continue;
      }
      Ranking ranking = Ranking.of(Qrels.of(grades(example.get("qrels"))), RankedRun.of("r",
          scores(example.get("run"))));
      for (String gain : List.of("linear_gain", "exponential_gain_2^rel-1")) {
        for (JsonNode values : example.path(gain)) {
          for (Map.Entry<String, JsonNode> measure : values.properties()) {
            int k = measure.getKey().contains("@") ? Integer.parseInt(measure.getKey().split("@")[1]) : 1000;
            Scores scores = ranking.score(gain.startsWith("l") ? Metric.ndcg(k) : Metric.exponentialNdcg(k));
            for (String query : List.of("0", "1")) {
              assertThat(scores.perQuery().get(query)).as(measure.getKey() + " " + gain)
                  // The published ones are cut, not rounded, after five digits.
                  .isEqualTo(measure.getValue().get(query).asDouble(), within(1e-5));
              compared++;
            }
          }
        }
      }
    }
    assertThat(compared).isEqualTo(20);
  }

  private static Map<String, Map<String, Integer>> grades(JsonNode node) {
    Map<String, Map<String, Integer>> all = new LinkedHashMap<>();
    node.properties().forEach(q -> q.getValue().properties().forEach(d ->
        all.computeIfAbsent(q.getKey(), x -> new HashMap<>()).put(d.getKey(), d.getValue().asInt())));
    return all;
  }

  private static Map<String, Map<String, Double>> scores(JsonNode node) {
    Map<String, Map<String, Double>> all = new LinkedHashMap<>();
    node.properties().forEach(q -> q.getValue().properties().forEach(d ->
        all.computeIfAbsent(q.getKey(), x -> new HashMap<>()).put(d.getKey(), d.getValue().asDouble())));
    return all;
  }

  @Test
  void cranfieldsBaselineIsReproduced() throws Exception {
    assumeTrue(Files.isDirectory(CRANFIELD), CRANFIELD + " is not there: give -Dfettle.shared=DIR");
    Qrels qrels = Qrels.trec(CRANFIELD.resolve("qrels.trec"));
    RankedRun run = RankedRun.trec(CRANFIELD.resolve("bm25.run"));
    JsonNode split = JsonReader.STANDARD.read(Files.readString(CRANFIELD.resolve("split.json")));
    Set<String> test = new TreeSet<>();
    split.get("test").forEach(q -> test.add(q.asString()));
    Ranking ranking = Ranking.of(qrels.only(test), run);

    assertThat(ranking.score(Metric.ndcg(10)).mean()).isEqualTo(0.3299, within(5e-5));
    assertThat(ranking.score(Metric.exponentialNdcg(10)).mean()).isEqualTo(0.3262, within(5e-5));
    assertThat(ranking.score(Metric.mrr(10)).mean()).isEqualTo(0.4494, within(5e-5));
    assertThat(ranking.score(Metric.recall(100)).mean()).isEqualTo(0.6792, within(5e-5));
    Interval interval = ranking.score(Metric.ndcg(10)).interval(0);
    assertThat(interval.low()).isEqualTo(0.272, within(3e-3));
    assertThat(interval.high()).isEqualTo(0.389, within(3e-3));
  }

  @Test
  void theResidualFiguresLeaveOutTheTrainPositivesFromBothSides() throws Exception {
    assumeTrue(Files.isDirectory(CRANFIELD), CRANFIELD + " is not there: give -Dfettle.shared=DIR");
    Qrels qrels = Qrels.beir(CRANFIELD.resolve("beir/qrels.tsv"));
    JsonNode split = JsonReader.STANDARD.read(Files.readString(CRANFIELD.resolve("split.json")));
    Set<String> seen = new TreeSet<>();
    split.get("train").forEach(q -> qrels.grades(q.asString()).forEach((d, grade) -> {
      if (grade > 0) {
        seen.add(d);
      }
    }));
    Set<String> test = new TreeSet<>();
    split.get("test").forEach(q -> test.add(q.asString()));

    Scores scores = Ranking.of(qrels.only(test).without(seen), RankedRun.trec(CRANFIELD.resolve("bm25.run"))
        .without(seen))
        .score(Metric.ndcg(10));

    long withPositives = test.stream().filter(q -> qrels.grades(q).entrySet().stream()
        .anyMatch(e -> e.getValue() > 0 && !seen.contains(e.getKey()))).count();
    assertThat(withPositives).isEqualTo(58);
    assertThat(scores.perQuery().values().stream().mapToDouble(v -> v).sum() / 58).isEqualTo(0.3363, within(5e-5));
  }
}
