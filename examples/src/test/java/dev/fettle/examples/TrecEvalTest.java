package dev.fettle.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class TrecEvalTest {
  private static final Path GOLDEN = Path.of("src", "test", "resources", "trec_eval");
  private static final Path CRANFIELD =
      Path.of(System.getProperty("fettle.shared", "../../shared"), "data", "cranfield");

  @TempDir
  private Path directory;

  static Stream<String> goldenFiles() throws Exception {
    List<String> names = new ArrayList<>();
    for (int i = 0; i < Files.readAllLines(GOLDEN.resolve("options.txt")).size(); i++) {
      for (String run : List.of("binary", "graded", "negative", "wide")) {
        names.add(run + "." + i);
      }
    }
    return names.stream();
  }

  @ParameterizedTest
  @MethodSource("goldenFiles")
  void printsWhatTrecEvalNinePrintsByteForByte(String name) throws Exception {
    String[] parts = name.split("\\.");
    List<String> args = new ArrayList<>(List.of("--as", "9"));
    args.addAll(Arrays.asList(Files.readAllLines(GOLDEN.resolve("options.txt")).get(Integer.parseInt(parts[1]))
        .split(" ")));
    args.add(GOLDEN.resolve(parts[0] + ".qrels").toString());
    args.add(GOLDEN.resolve(parts[0] + ".run").toString());

    Outcome outcome = Outcome.of(TrecEval::run, args.toArray(String[]::new));

    assertThat(outcome.err()).isEmpty();
    assertThat(outcome.code()).isZero();
    assertThat(outcome.out()).isEqualTo(Files.readString(GOLDEN.resolve(name + ".txt")));
  }

  @Test
  void printsWhatTrecEvalTenPublishedForCranfield() throws Exception {
    assumeTrue(Files.isDirectory(CRANFIELD), CRANFIELD + " is not there: give -Dfettle.shared=DIR");

    Outcome outcome = Outcome.of(TrecEval::run, "-q", "-m", "map", "-m", "recip_rank", "-m", "ndcg", "-m",
        "ndcg_cut.1,5,10,20,100", CRANFIELD.resolve("qrels.trec").toString(), CRANFIELD.resolve("bm25.run").toString());

    assertThat(outcome.out()).isEqualTo(Files.readString(CRANFIELD.resolve("bm25.trec_eval.txt")));
  }

  private String[] tiny(String... options) throws Exception {
    Path qrels = Files.writeString(directory.resolve("qrels"), "1 0 a 1\n1 0 b 0\n2 0 a 2\n");
    Path run = Files.writeString(directory.resolve("run"), "1 Q0 a 1 1.00000001 x\n1 Q0 b 2 1.00000002 x\n");
    return Stream.concat(Arrays.stream(options), Stream.of(qrels.toString(), run.toString())).toArray(String[]::new);
  }

  @Test
  void versionTenComparesScoresInDoublePrecisionAndNineInSingle() throws Exception {
    // As single precision both scores are 1, and b comes first by its name; as double b is better.
    Files.writeString(directory.resolve("other"), "1 Q0 a 1 1.00000002 x\n1 Q0 b 2 1.00000001 x\n");
    String[] args = tiny("-m", "recip_rank");
    args[args.length - 1] = directory.resolve("other").toString();

    assertThat(Outcome.of(TrecEval::run, args).out()).isEqualTo("recip_rank            \tall\t1.0000\n");
    String[] nine = Stream.concat(Stream.of("--as=9"), Arrays.stream(args)).toArray(String[]::new);
    assertThat(Outcome.of(TrecEval::run, nine).out()).isEqualTo("recip_rank            \tall\t0.5000\n");
  }

  @Test
  void versionTenPrintsMissingQueriesAsZeroAndNineDoesNot() throws Exception {
    assertThat(Outcome.of(TrecEval::run, tiny("-cq", "-mmap", "-m", "num_ret", "-mrelstring", "-mutility")).out())
        .isEqualTo("""
            num_ret               \t1\t2
            map                   \t1\t0.5000
            relstring             \t1\t'01'
            utility               \t1\t0.0000
            num_ret               \t2\t0
            map                   \t2\t0.0000
            relstring             \t2\t''
            utility               \t2\t0.0000
            num_ret               \tall\t2
            map                   \tall\t0.2500
            utility               \tall\t0.0000
            """);
    assertThat(Outcome.of(TrecEval::run, tiny("--as", "9", "-cq", "-mmap")).out()).isEqualTo(
        "map                   \t1\t0.5000\nmap                   \tall\t0.2500\n");
  }

  @Test
  void takesOptionsAsGetoptDoes() throws Exception {
    String plain = Outcome.of(TrecEval::run, tiny("-q", "-c", "-M", "1", "-m", "map")).out();

    assertThat(plain.lines()).hasSize(3);
    assertThat(Outcome.of(TrecEval::run, tiny("-qcM1", "-mmap")).out()).isEqualTo(plain);
    assertThat(Outcome.of(TrecEval::run, tiny("--query_eval_wanted", "--complete", "--Max=1", "--measure=map")).out())
        .isEqualTo(plain);
    String[] files = tiny();
    assertThat(Outcome.of(TrecEval::run, files[0], "-q", files[1], "-cM1", "-mmap").out()).isEqualTo(plain);
  }

  @Test
  void whatCannotBeUnderstoodIsToldWithWhereTheUsageIs() throws Exception {
    for (String[] wrong : List.of(new String[] {"-x"}, tiny("-x"), tiny("-M", "0"), tiny("-l", "high"),
        tiny("--as", "8"), new String[] {"one-file"}, tiny("-R", "prefs"), new String[] {"-m"})) {
      Outcome outcome = Outcome.of(TrecEval::run, wrong);
      assertThat(outcome.code()).as(String.join(" ", wrong)).isEqualTo(2);
      assertThat(outcome.out()).isEmpty();
      assertThat(outcome.err()).contains("TrecEval --help lists");
    }
    assertThat(Outcome.of(TrecEval::run, "--help").out()).startsWith("usage: TrecEval");
  }

  @Test
  void wrongInputIsOneLineAndTheExitCodeOne() throws Exception {
    Path broken = Files.writeString(directory.resolve("broken"), "1 Q0 a 1 1.0 x\n1 Q0 b 2 1.0\n");
    String[] args = tiny("-m", "map");
    args[args.length - 1] = broken.toString();

    Outcome outcome = Outcome.of(TrecEval::run, args);

    assertThat(outcome.code()).isEqualTo(1);
    assertThat(outcome.err()).contains("broken:2").contains("5 fields").hasLineCount(1);
    assertThat(Outcome.of(TrecEval::run, tiny("-m", "mapp"))).matches(o -> o.code() == 1)
        .extracting(Outcome::err).asString().contains("no measure \"mapp\"", "ndcg_cut");
    assertThat(Outcome.of(TrecEval::run, tiny("-m", "P.0")).err()).contains("P", "0", "at least 1");
  }
}
