package dev.fettle.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.fettle.ranking.Document;
import dev.fettle.ranking.HardNegatives;
import dev.fettle.ranking.Hit;
import dev.fettle.ranking.Metric;
import dev.fettle.ranking.Qrels;
import dev.fettle.ranking.RankedRun;
import dev.fettle.ranking.Ranking;
import dev.fettle.ranking.RetrievalData;
import dev.fettle.ranking.Triples;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class Bm25Test {
  private static final Path CRANFIELD =
      Path.of(System.getProperty("fettle.shared", "../../shared"), "data", "cranfield");

  @TempDir
  private Path directory;

  private static RankCollection cranfield() {
    assumeTrue(Files.isDirectory(CRANFIELD), CRANFIELD + " is not there: give -Dfettle.shared=DIR");
    return RankCollection.read(CRANFIELD, 5);
  }

  /** The queries whose number has a last digit in a range: train 0 to 5, dev 6, test 7 to 9. */
  private static RetrievalData part(int from, int to) {
    RankCollection all = cranfield();
    return all.data().only(all.queries().stream().filter(q -> Integer.parseInt(q) % 10 >= from && Integer.parseInt(q) % 10 <= to)
        .toList());
  }

  @Test
  void aWordWeighsWhatTheFormulaSays() {
    List<Document> documents = List.of(new Document("1", "", "Wing, wing flow"), new Document("2", "", "heat"),
        new Document("3", "flow", ""));
    try (LuceneBm25 bm25 = LuceneBm25.plain(documents, 1.2, 0.75)) {
      double idf = Math.log(1 + (3 - 1 + 0.5) / 1.5);
      double weight = 2.2 * 2 / (2 + 1.2 * (0.25 + 0.75 * 3 / (5 / 3.0)));

      List<Hit> once = bm25.search("wing", 5);
      assertThat(once).extracting(Hit::document).containsExactly("1");
      assertThat(once.get(0).score()).isEqualTo(idf * weight, within(1e-6));
      assertThat(bm25.search("WING wing!", 5).get(0).score()).isEqualTo(2 * idf * weight, within(1e-6));
      assertThat(bm25.search("flow", 1)).extracting(Hit::document).containsExactly("3");
      assertThat(bm25.search("?", 5)).isEmpty();
    }
  }

  @Test
  void stemsFindOtherFormsOfAWord() {
    try (LuceneBm25 bm25 = LuceneBm25.english(List.of(new Document("1", "", "the wings")))) {
      assertThat(bm25.search("a wing", 5)).extracting(Hit::document).containsExactly("1");
    }
  }

  @ParameterizedTest
  @CsvSource({"0.9, 0.4, 0.3075, 0.3012, 0.4562, 0.6704, 0.2381, 0.3302, 0.3276, 0.3178",
      "1.2, 0.75, 0.3299, 0.3262, 0.4494, 0.6792, 0.2546, 0.3240, 0.3437, 0.3363"})
  void cranfieldsBaselinesAreReproduced(double k1, double b, double ndcg, double exponential, double mrr, double recall,
      double map, double dev, double all, double residual) {
    RankCollection cranfield = cranfield();
    RetrievalData test = part(7, 9);
    RankedRun run;
    try (LuceneBm25 bm25 = LuceneBm25.plain(test.corpus().values(), k1, b)) {
      run = cranfield.data().run("bm25", bm25, 1400);
    }
    Ranking ranking = Ranking.of(test.qrels(), run);

    assertThat(ranking.score(Metric.ndcg(10)).mean()).isEqualTo(ndcg, within(5e-5));
    assertThat(ranking.score(Metric.exponentialNdcg(10)).mean()).isEqualTo(exponential, within(5e-5));
    assertThat(ranking.score(Metric.mrr(10)).mean()).isEqualTo(mrr, within(5e-5));
    assertThat(ranking.score(Metric.recall(100)).mean()).isEqualTo(recall, within(5e-5));
    assertThat(ranking.depth(1000).score(Metric.map()).mean()).isEqualTo(map, within(5e-5));
    assertThat(Ranking.of(part(6, 6).qrels(), run).score(Metric.ndcg(10)).mean()).isEqualTo(dev,
        within(5e-5));
    assertThat(Ranking.of(cranfield.data().qrels(), run).score(Metric.ndcg(10)).mean()).isEqualTo(all, within(5e-5));

    Set<String> seen = cranfield.relevant(List.copyOf(part(0, 5).queries().keySet()));
    Qrels rest = RankScores.residual(test.qrels(), seen);
    assertThat(rest.queries()).hasSize(58);
    assertThat(Ranking.of(rest, run.without(seen)).score(Metric.ndcg(10)).mean())
        .isEqualTo(residual, within(5e-5));
  }

  @Test
  void theFirstTenDocumentsOfEveryQueryAreThoseOfThePublishedRun() {
    RetrievalData all = cranfield().data();
    RankedRun published = RankedRun.trec(CRANFIELD.resolve("bm25.run"));
    try (LuceneBm25 bm25 = LuceneBm25.plain(all.corpus().values(), 1.2, 0.75)) {
      RankedRun run = all.run("bm25", bm25, 100);
      for (String query : published.queries()) {
        assertThat(run.ranking(query).subList(0, 10)).extracting(Hit::document).as(query)
            .isEqualTo(published.ranking(query).subList(0, 10).stream().map(Hit::document).toList());
      }
    }
  }

  @Test
  void trainingTriplesHaveNegativesThatNobodyJudged() {
    RetrievalData train = part(0, 5);
    try (LuceneBm25 bm25 = LuceneBm25.plain(train.corpus().values(), 0.9, 0.4)) {
      Triples triples = train.triples(HardNegatives.from(bm25, 4));

      // 987 positives, of which those without any text cannot be trained on.
      assertThat(triples.size()).isEqualTo(train.pairs().size()).isBetween(980, 987);
      assertThat(triples).allSatisfy(triple -> assertThat(triple.negatives()).hasSize(4)
          .doesNotContain(triple.positive()));
    }
  }

  @Test
  void theProgramPrintsMetricsByTheirNamesAndWritesTheRun() throws Exception {
    new RetrievalDataFixture(directory).write();
    Path run = directory.resolve("run");

    Outcome outcome = Outcome.of(Bm25::run, "--data", directory.toString(), "--part", "dev", "--run", run.toString());

    assertThat(outcome.err()).isEmpty();
    assertThat(outcome.out()).contains("nDCG@10 (linear gain)        1.0000 [1.0000, 1.0000]",
        "nDCG@10 (exponential gain)",
        "MRR@10", "Recall@100", "MAP");
    assertThat(RankedRun.trec(run).ranking("q").get(0).document()).isEqualTo("a");
    assertThat(Outcome.of(Bm25::run, "--data", directory.toString()).err()).contains("test.tsv");
  }

  /** A collection of two documents. */
  private record RetrievalDataFixture(Path directory) {
    void write() {
      RetrievalData.of(List.of(new Document("a", "wing", "lift of a wing"), new Document("b", "", "heat")),
          java.util.Map.of("q", "wing lift"), Qrels.of(java.util.Map.of("q", java.util.Map.of("a", 2))))
          .writeBeir(directory, "dev");
    }
  }
}
