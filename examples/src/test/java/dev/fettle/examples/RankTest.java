package dev.fettle.examples;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fettle.Tokenizer;
import dev.fettle.Tokenizers;
import dev.fettle.ranking.Difference;
import dev.fettle.ranking.Document;
import dev.fettle.ranking.Hit;
import dev.fettle.ranking.Interval;
import dev.fettle.ranking.Qrels;
import dev.fettle.ranking.Ranked;
import dev.fettle.ranking.RankedRun;
import dev.fettle.ranking.RetrievalData;
import dev.fettle.ranking.Triple;
import dev.fettle.ranking.Triples;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.json.JsonMapper;

/** The example of ranking, on a made-up collection and an encoder of two small layers. */
class RankTest {
  private static final Path ENCODER = Path.of("..", "sdk", "local", "src", "test", "resources", "golden", "encoders", "mean");
  private static final List<String> THINGS = List.of("wing", "heat", "shock", "panel", "jet", "nose");

  @TempDir
  private Path directory;

  @BeforeEach
  void writeACollection() throws IOException {
    List<Document> documents = new ArrayList<>();
    Map<String, String> queries = new TreeMap<>();
    Map<String, Map<String, Integer>> grades = new HashMap<>();
    Map<String, List<String>> split = Map.of("train", new ArrayList<>(), "dev", new ArrayList<>(), "test",
        new ArrayList<>());
    for (int i = 0; i < 18; i++) {
      String thing = THINGS.get(i % 6);
      String title = "the " + thing + " number " + i;
      documents.add(new Document("d" + i, title, title + " flow of the " + thing + " at speed " + i));
      String query = "q" + i;
      queries.put(query, "what of the " + thing + " in case " + i);
      grades.put(query, Map.of("d" + i, 3, "d" + (i + 6) % 18, 1, "d" + (i + 1) % 18, 0));
      split.get(i < 9 ? "train" : i < 12 ? "dev" : "test").add(query);
    }
    documents.add(new Document("empty", "", ""));
    RetrievalData.of(documents, queries, Qrels.of(grades)).writeBeir(directory.resolve("beir"), "test");
    Files.writeString(directory.resolve("split.json"),
        new JsonMapper().writeValueAsString(split));
  }

  private Outcome rank(String out, String... more) {
    List<String> args = new ArrayList<>(List.of("--model", ENCODER.toString(), "--data", directory.toString(), "--out",
        directory.resolve(out).toString(), "--rank", "2", "--last-layers", "1", "--dtype", "f32"));
    args.addAll(List.of(more));
    if (!args.contains("--steps")) {
      args.addAll(List.of("--steps", "2"));
    }
    return Outcome.of(Rank::run, args.toArray(String[]::new));
  }

  @Test
  void everySystemHasALineWithIntervalsDifferencesAndCosts() {
    Outcome outcome = rank("out");

    assertThat(outcome.code()).as(outcome.err()).isZero();
    List<String> rows = outcome.out().lines().filter(l -> l.startsWith("| ")).limit(6).toList();
    assertThat(rows).extracting(r -> r.split(" \\| ")[0]).containsExactly("| system", "| bm25", "| base", "| lora",
        "| full", "| hybrid");
    assertThat(rows.subList(3, 6)).allSatisfy(r -> assertThat(r)
        .matches("\\| \\w+( \\| 0\\.\\d{4} \\[\\d\\.\\d{3}, \\d\\.\\d{3}]){3}"
            + "( \\| [+-]0\\.\\d{4} \\[-?\\d\\.\\d{3}, -?\\d\\.\\d{3}] \\| [01]\\.\\d{4}){2}"
            + " \\| \\d+\\.\\d s \\| as base \\| [^|]* \\| \\d+\\.\\d MB \\|"));
    assertThat(outcome.out()).contains("6 test queries", "paired randomisation test", "Holm", "no sweep was made")
        .doesNotContain("best of its own sweep")
        .containsPattern("full (cannot be told from|is significantly \\w+ than) the base model");
  }

  @Test
  void aRerankerHasALineOfItsOwn() {
    Outcome outcome = rank("reranked", "--reranker", RerankTest.RERANKER.toString());

    assertThat(outcome.code()).as(outcome.err()).isZero();
    List<String> rows = outcome.out().lines().filter(l -> l.startsWith("| ")).limit(7).toList();
    assertThat(rows).extracting(r -> r.split(" \\| ")[0]).containsExactly("| system", "| bm25", "| base", "| reranked", "| lora",
        "| full", "| hybrid");
    assertThat(rows.get(3)).matches("\\| reranked( \\| 0\\.\\d{4} \\[\\d\\.\\d{3}, \\d\\.\\d{3}]){3}.*");
    assertThat(rows.get(3).substring(12)).isNotEqualTo(rows.get(2).substring(8));
  }

  @Test
  void theSameSeedGivesTheSameRankingsAndAnotherOneOthers() throws IOException {
    rank("one");
    rank("two");
    rank("three", "--seed", "7");

    assertThat(rankings("two")).isEqualTo(rankings("one")).hasSize(11);
    assertThat(rankings("three").get("base.trec")).isEqualTo(rankings("one").get("base.trec"));
    assertThat(rankings("three").keySet()).contains("full-8.trec").doesNotContain("full-1.trec");
    assertThat(rankings("three").get("full-8.trec")).isNotEqualTo(rankings("one").get("full-1.trec"));
  }

  private Map<String, String> rankings(String out) throws IOException {
    Map<String, String> all = new TreeMap<>();
    try (var files = Files.list(directory.resolve(out).resolve("rankings"))) {
      for (Path file : files.toList()) {
        all.put(file.getFileName().toString(), Files.readString(file));
      }
    }
    return all;
  }

  @Test
  void whatIsFinishedIsNotDoneAgain() throws IOException {
    String first = rank("out").out();
    Path kept = directory.resolve("out").resolve("rankings").resolve("lora-1.trec");
    var before = Files.getLastModifiedTime(kept);

    String second = rank("out").out();

    assertThat(Files.getLastModifiedTime(kept)).isEqualTo(before);
    assertThat(figures(second)).isEqualTo(figures(first));
    Outcome other = rank("out", "--steps", "3");
    assertThat(other.code()).isEqualTo(1);
    assertThat(other.err()).contains("steps");
  }

  /** Without the time that searching takes, which is measured each time. */
  private static String figures(String out) {
    return out.replaceAll("\\d+\\.\\d s \\|", "");
  }

  @Test
  void testQueriesAndTheirJudgementsAreNotTrainedOn() {
    RankTask task = new RankTask(Cranfield.read(directory), Tokenizers.open(ENCODER), 40);

    Triples judged = task.judged(task.collection().part("train"), 2, (query, count) -> List.of());

    assertThat(judged.all()).hasSize(18).extracting(Triple::query)
        .containsOnly(task.collection().part("train").queries().values().toArray(String[]::new));
  }

  @Test
  void negativesAreThoseOfAllSearchesWithoutWhatIsJudged() {
    RankTask task = new RankTask(Cranfield.read(directory), Tokenizers.open(ENCODER), 40);
    RetrievalData first = task.collection().all().only(List.of("q0"));

    Triples judged = task.judged(first, 2,
        (query, count) -> List.of(hit("d0"), hit("d1"), hit("d2"), hit("d3"), hit("d4")),
        (query, count) -> List.of(hit("d3"), hit("d5"), hit("d8")));

    assertThat(judged.all()).allSatisfy(t -> assertThat(t.negatives()).extracting(n -> n.split(" ")[3])
        .containsExactly("2", "3", "5"));
  }

  private static Hit hit(String document) {
    return new Hit(document, 1);
  }

  @Test
  void titlesArePairedWithTheTextThatFollowsThem() {
    RankTask task = new RankTask(Cranfield.read(directory), Tokenizers.open(ENCODER), 40);

    assertThat(task.titles().all()).hasSize(18).contains(Triple.of("the wing number 0", "flow of the wing at speed 0"));
  }

  @Test
  void aTextIsCutAtWholeWordsWithinTheLength() {
    Tokenizer tokenizer = Tokenizers.open(ENCODER);
    RankTask task = new RankTask(Cranfield.read(directory), tokenizer, 40);
    String text = "flow of the wing ".repeat(100).strip();

    String cut = task.cut(text);

    assertThat(text).startsWith(cut);
    assertThat(tokenizer.encode(cut).length).isLessThanOrEqualTo(38)
        .isGreaterThan(20);
    assertThat(task.cut("the wing")).isEqualTo("the wing");
  }

  @Test
  void batchesTakeEachPairOnceBeforeAnyTwice() {
    List<Triple> pairs = new ArrayList<>();
    for (int i = 0; i < 6; i++) {
      pairs.add(new Triple("q" + i, "p" + i, List.of("m", "n", "o")));
    }
    RankBatches data = new RankBatches(Triples.of(pairs), Triples.of(List.of(Triple.of("title", "text"))));

    List<List<Ranked>> batches = data.of(new RankBatches.Mix(3, 2, 1), 4, 5);

    assertThat(batches).hasSize(4).allSatisfy(batch -> assertThat(batch).hasSize(4)
        .contains(Ranked.pair("title", "text")));
    Set<String> epoch = new HashSet<>();
    batches.subList(0, 2).forEach(b -> b.subList(0, 3).forEach(r -> epoch.add(r.query())));
    assertThat(epoch).hasSize(6);
    assertThat(batches.get(0).get(0).texts()).hasSize(3).doesNotHaveDuplicates();
    assertThat(data.of(new RankBatches.Mix(3, 2, 1), 4, 5)).isEqualTo(batches);
    assertThat(data.of(new RankBatches.Mix(3, 2, 1), 4, 6)).isNotEqualTo(batches);
  }

  @Test
  void residualJudgementsLeaveOutWhatTrainingSaw() {
    Qrels rest = RankReport.residual(Qrels.of(Map.of("a", Map.of("1", 2, "2", 1), "b", Map.of("1", 4, "3", 0))),
        Set.of("1"));

    assertThat(rest.queries()).containsExactly("a");
    assertThat(rest.grades("a")).isEqualTo(Map.of("2", 1));
  }

  @Test
  void onlyASignificantDifferenceIsCalledOne() {
    assertThat(RankReport.verdict(difference(0.05, 0.04))).contains("full is significantly better than",
        "+0.0500", "0.04");
    assertThat(RankReport.verdict(difference(-0.05, 0.04))).contains("is significantly worse than");
    assertThat(RankReport.verdict(difference(0.05, 0.06))).contains("cannot be told from");
  }

  private static Difference difference(double mean, double p) {
    return new Difference("nDCG@10", "base", "full", 6, mean, new Interval(mean - 0.01, mean + 0.01), p, p);
  }

  @Test
  void rankingsAreReadByTrecEval() throws IOException {
    rank("out");
    Path qrels = directory.resolve("test.qrels");
    Cranfield.read(directory).part("test").qrels().writeTrec(qrels);
    RankedRun run = RankedRun.trec(directory.resolve("out").resolve("rankings").resolve("hybrid-3.trec"));

    Outcome outcome = Outcome.of(TrecEval::run, "-m", "ndcg_cut.10", qrels.toString(),
        directory.resolve("out").resolve("rankings").resolve("hybrid-3.trec").toString());

    assertThat(run.queries()).hasSize(6);
    assertThat(outcome.out()).startsWith("ndcg_cut_10");
  }
}
