package dev.fettle.examples;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class UsageTest {
  @Test
  void aWrongOptionGivesTheReasonWhereOptionsAreExplainedAndTheExitCodeTwo() {
    for (Outcome.Program program : new Outcome.Program[] {Tune::run, Generate::run, Score::run, Serve::run}) {
      Outcome outcome = Outcome.of(program, "--model", "m", "--wrong", "1");

      assertThat(outcome.code()).isEqualTo(2);
      assertThat(outcome.out()).isEmpty();
      assertThat(outcome.err().lines()).hasSize(2).anyMatch(line -> line.startsWith("unknown option \"--wrong\""))
          .anyMatch(line -> line.endsWith(" --help lists what can be given"));
    }
    assertThat(Outcome.of(Tune::run, "--epoch", "1").err()).startsWith("unknown option \"--epoch\"; do you mean --epochs?");
  }

  @Test
  void helpGoesToTheOutputAndIsNoError() {
    for (Outcome.Program program : new Outcome.Program[] {Tune::run, Generate::run, Score::run, Serve::run, Embed::run,
        Render::run, Bench::run}) {
      Outcome outcome = Outcome.of(program, "--help");

      assertThat(outcome.code()).isZero();
      assertThat(outcome.err()).isEmpty();
      assertThat(outcome.out()).startsWith("usage: ").contains("--model DIR");
    }
  }

  @Test
  void programsOfRetrievalSayWhatTheyTake() {
    for (Outcome.Program program : new Outcome.Program[] {Rank::run, Bm25::run}) {
      assertThat(Outcome.of(program, "--help")).matches(o -> o.code() == 0 && o.err().isEmpty())
          .extracting(Outcome::out).asString().startsWith("usage: ").contains("--data", "(required)", "--seed N");
      assertThat(Outcome.of(program, "--seed", "1")).matches(o -> o.code() == 2 && o.out().isEmpty())
          .extracting(Outcome::err).asString().contains("is missing", "--help");
    }
    assertThat(Outcome.of(Rank::run, "--base", "m", "--data", "none", "--download", "maybe").err())
        .contains("--download", "yes, no");
    Outcome absent = Outcome.of(Rank::run, "--base", "m", "--data", "none");
    assertThat(absent.code()).isEqualTo(1);
    assertThat(absent.err()).contains("none").doesNotContain("Exception");
  }

  @Test
  void benchNeedsToKnowWhatToMeasureAndOfWhat() {
    assertThat(Outcome.of(Bench::run)).matches(o -> o.code() == 2).extracting(Outcome::err).asString()
        .contains("train, full, sft, decode, embed, contrastive", "Bench --help");
    assertThat(Outcome.of(Bench::run, "--help").out()).contains("usage: Bench train", "usage: Bench decode", "usage: Bench embed",
        "usage: Bench contrastive", "usage: Bench start");
    assertThat(Outcome.of(Bench::run, "trian").err()).contains("trian");
    assertThat(Outcome.of(Bench::run, "train")).matches(o -> o.code() == 2).extracting(Outcome::err).asString()
        .startsWith("one of --model and --random is missing");
    assertThat(Outcome.of(Bench::run, "train", "--random", "huge").err()).contains("smollm2-135m");
    assertThat(Outcome.of(Bench::run, "train", "--random", "tiny", "--length", "0").code()).isEqualTo(2);
  }
}
