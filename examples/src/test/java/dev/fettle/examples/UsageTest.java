package dev.fettle.examples;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class UsageTest {
  @Test
  void aWrongOptionGivesTheReasonTheUsageAndTheExitCodeTwo() {
    for (Outcome.Program program : new Outcome.Program[] {Tune::run, Generate::run, Score::run, Serve::run}) {
      Outcome outcome = Outcome.of(program, "--model", "m", "--wrong", "1");

      assertThat(outcome.code()).isEqualTo(2);
      assertThat(outcome.out()).isEmpty();
      assertThat(outcome.err()).startsWith("unknown option \"--wrong\"").contains("usage: ");
    }
  }

  @Test
  void helpGoesToTheOutputAndIsNoError() {
    for (Outcome.Program program : new Outcome.Program[] {Tune::run, Generate::run, Score::run, Serve::run, Embed::run,
        Bench::run}) {
      Outcome outcome = Outcome.of(program, "--help");

      assertThat(outcome.code()).isZero();
      assertThat(outcome.err()).isEmpty();
      assertThat(outcome.out()).startsWith("usage: ").contains("--model DIR");
    }
  }

  @Test
  void benchNeedsToKnowWhatToMeasureAndOfWhat() {
    assertThat(Outcome.of(Bench::run)).matches(o -> o.code() == 2).extracting(Outcome::err).asString()
        .contains("train, full, sft, decode", "usage: Bench train", "usage: Bench decode", "usage: Bench start");
    assertThat(Outcome.of(Bench::run, "trian").err()).contains("trian");
    assertThat(Outcome.of(Bench::run, "train")).matches(o -> o.code() == 2).extracting(Outcome::err).asString()
        .startsWith("one of --model and --random is missing");
    assertThat(Outcome.of(Bench::run, "train", "--random", "huge").err()).contains("smollm2-135m");
    assertThat(Outcome.of(Bench::run, "train", "--random", "tiny", "--length", "0").code()).isEqualTo(2);
  }
}
