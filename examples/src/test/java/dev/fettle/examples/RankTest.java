package dev.fettle.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The comparison of rankings, on made-up collections and encoders of two small layers. */
class RankTest {
  private static final Path ENCODERS = Path.of("..", "sdk", "local", "src", "test", "resources", "golden", "encoders");

  @TempDir
  private static Path directory;
  private static Outcome first;

  @BeforeAll
  static void compareOnce() {
    RankData.write(directory.resolve("things"), 18);
    RankData.write(directory.resolve("others"), 12);
    first = rank("first");
  }

  private static Outcome rank(String out, String... more) {
    List<String> args = new ArrayList<>(List.of("--base", ENCODERS.resolve("mean").toString(), "--base",
        ENCODERS.resolve("cls") + ":query: |passage: ", "--data", directory.resolve("things").toString(), "--data",
        directory.resolve("others").toString(), "--levers", "titles", "--steps", "2"));
    args.addAll(List.of(more));
    return limited(out, args);
  }

  private static Outcome limited(String out, List<String> args) {
    List<String> all = new ArrayList<>(List.of("--out", directory.resolve(out).toString(), "--folds", "3", "--rank", "2",
        "--last-layers", "1", "--dtype", "f32", "--length", "12", "--train-length", "12", "--seeds", "1", "--budget", "0"));
    all.addAll(args);
    return Outcome.of(Rank::run, all.toArray(String[]::new));
  }

  /** One model and one collection, without levers. */
  private static Outcome alone(String out, String steps) {
    return limited(out, List.of("--base", ENCODERS.resolve("mean").toString(), "--data", directory.resolve("things").toString(),
        "--levers", "none", "--steps", steps));
  }

  @Test
  void everySystemHasALineWithItsQualityAndItsCosts() {
    assertThat(first.code()).as(first.err()).isZero();
    List<String> rows = first.out().lines().filter(l -> l.startsWith("| ")).limit(8).toList();
    assertThat(rows).extracting(r -> r.split(" \\| ")[0]).containsExactly("| system", "| BM25", "| mean", "| cls", "| mean + lora",
        "| mean + full", "| mean + hybrid", "| cls + lora");
    String number = " \\| \\d\\.\\d{4}";
    assertThat(rows.subList(4, 8)).allSatisfy(r -> assertThat(r).matches("\\| \\w+ \\+ \\w+" + number + " \\[\\d\\.\\d{3}, \\d\\.\\d{3}]"
        + number + number + number + " \\| [^|]*\\| [+-]\\d\\.\\d{4} \\[.*] \\| 1 \\| [\\d,]+ \\| \\d\\.\\d MB \\| \\d\\.\\d s \\| "
        + "\\d+\\.\\d ms \\| [^|]*\\|"));
    assertThat(first.out()).contains("30 test queries of 2 collections");
  }

  @Test
  void verdictsAreOfTheFamilyThatWasFixedAndOfEachCollectionAlone() {
    List<String> verdicts = first.out().lines().filter(l -> l.startsWith("- ")).toList();

    assertThat(first.out()).contains("16 comparisons fixed before the run", "over the 0 not made", "**Power**");
    assertThat(verdicts).hasSize(16).allSatisfy(v -> assertThat(v).containsPattern(
        "is (not told from|better than|worse than) .*Holm's correction.*things alone .*others alone"));
    assertThat(verdicts.get(0)).startsWith("- mean + lora ");
    assertThat(first.out()).containsAnyOf("No way of tuning is called the best", " is the best.");
  }

  @Test
  void leversAndTheLearningCurveAreReported() {
    assertThat(first.out()).contains("| start: ", "| titles: ", "| things | 10 | ", "| things | 12 | ", "| others | 8 | ",
        "All that was planned was done.").doesNotContain("| others | 10 |", "temperature-0.02");
  }

  @Test
  void theReportAndItsPicturesAreKept() throws IOException {
    Path out = directory.resolve("first");

    assertThat(Files.readString(out.resolve("report.md"))).isEqualToIgnoringNewLines(first.out());
    for (String picture : List.of("intervals.png", "cost.png", "curve.png")) {
      assertThat(out.resolve(picture)).isNotEmptyFile();
    }
    assertThat(Files.readString(out.resolve("per-query.json"))).contains("\"mean + lora\":{\"things/q0\":");
  }

  @Test
  void theSameSeedGivesTheSameRankingsByteForByteThoughItWasInterrupted() throws IOException {
    Outcome some = alone("second", "2");
    Path results = directory.resolve("second").resolve("results.jsonl");
    Outcome changed = alone("second", "3");
    Path kept = directory.resolve("second").resolve("rankings").resolve("full.mean.things.fold1.seed1.trec");
    Map<String, String> all = rankings("second");
    List<String> lines = Files.readAllLines(results);
    Files.write(results, lines.subList(0, lines.size() - 1));
    Object before = Files.getLastModifiedTime(kept);

    Outcome again = alone("second", "2");

    assertThat(some.code()).as(some.err()).isZero();
    assertThat(changed.code()).isEqualTo(1);
    assertThat(changed.err()).contains("steps 2, now 3", "--out");
    assertThat(again.code()).as(again.err()).isZero();
    assertThat(Files.getLastModifiedTime(kept)).isEqualTo(before);
    assertThat(rankings("second")).isEqualTo(all);
    assertThat(again.out()).contains("None was tried");
    assertThat(alone("elsewhere", "2").code()).isZero();
    assertThat(rankings("elsewhere")).isEqualTo(all).hasSize(2 + 9 + 3);
  }

  private static Map<String, String> rankings(String out) throws IOException {
    Map<String, String> all = new TreeMap<>();
    try (var files = Files.list(directory.resolve(out).resolve("rankings"))) {
      for (Path file : files.toList()) {
        all.put(file.getFileName().toString(), Files.readString(file));
      }
    }
    return all;
  }

  @Test
  void rankingsAreReadByTrecEval() {
    Path qrels = directory.resolve("things.qrels");
    RankCollection.read(directory.resolve("things"), 3).data().qrels().writeTrec(qrels);

    Outcome outcome = Outcome.of(TrecEval::run, "-m", "ndcg_cut.10", qrels.toString(), directory.resolve("first").resolve("rankings")
        .resolve("hybrid.mean.things.fold2.seed1.trec").toString());

    assertThat(outcome.out()).startsWith("ndcg_cut_10");
  }

  @Test
  void whatIsNamedTwiceOrWronglyIsRefused() {
    Outcome twice = rank("third", "--data", directory.resolve("things").toString());
    assertThat(twice.code()).isEqualTo(1);
    assertThat(twice.err()).contains("--data", "[things, others, things]");
    assertThat(rank("third", "--base", "x:query").err()).contains("--base", "| between");
    assertThat(Outcome.of(Rank::run, "--levers", "tittles").err()).contains("no lever \"tittles\"", "titles,");
  }
}
