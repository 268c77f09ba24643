package dev.fettle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class ProgressTest {
  private final AtomicLong now = new AtomicLong();
  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
  private final PrintStream out = new PrintStream(bytes, true, StandardCharsets.UTF_8);

  private Progress progress(long total, boolean terminal) {
    return new Progress("train", total, false, out, terminal, now::get);
  }

  private void seconds(double s) {
    now.addAndGet((long) (s * Duration.ofSeconds(1).toNanos()));
  }

  private String written() {
    return bytes.toString(StandardCharsets.UTF_8);
  }

  @Test
  void showsStepsLossTokensPerSecondAndTimeLeft() {
    Progress progress = progress(4, false);
    seconds(10);
    progress.step(2.5, 1000);

    assertThat(written().strip()).startsWith("train 1/4  loss 2.5000  100 tokens/s").endsWith("30 s left");
  }

  @Test
  void elsewhereThanInATerminalPlainLinesComeEveryFewSecondsAndOneAtTheEnd() {
    try (Progress progress = progress(100, false)) {
      for (int i = 0; i < 100; i++) {
        seconds(0.1);
        progress.step(1, 10);
      }
    }

    assertThat(written().lines()).hasSize(2).last().asString().startsWith("train 100/100").endsWith("in 10 s");
    assertThat(written().replace(System.lineSeparator(), "")).doesNotContainPattern("\\p{Cntrl}");
  }

  @Test
  void aTerminalLineIsRewrittenAndCoversTheLongerOneBeforeIt() {
    try (Progress progress = progress(2000, true)) {
      seconds(1);
      progress.step(123.456, 1_000_000);
      seconds(9999);
      progress.step(0.1, 1);
    }

    String[] lines = written().split("\r");
    assertThat(lines).hasSize(3);
    assertThat(lines[0]).isEmpty();
    assertThat(lines[2].stripTrailing()).startsWith("train 2/2000");
    assertThat(lines[2].length()).isGreaterThanOrEqualTo(lines[1].length());
    assertThat(written()).endsWith(System.lineSeparator());
  }

  @Test
  void anEndingBeforeTheTotalShowsTheLastState() {
    try (Progress progress = progress(100, false)) {
      seconds(1);
      progress.step(1, 10);
    }

    assertThat(written()).startsWith("train 1/100");
  }

  @Test
  void theLossIsSmoothedAndWithoutOneNoneIsShown() {
    Progress progress = progress(3, false);
    progress.step(Double.NaN, 10);
    seconds(6);
    progress.step(Double.NaN, 10);
    assertThat(written()).doesNotContain("loss");

    progress.step(new LossResult(20, List.of(), 10, Map.of()), 10);
    assertThat(written()).contains("loss 2.0000");
  }

  @Test
  void theLossIsThatOfTheLastStepsAtTheEndOfAShortRunAndMovesLittleInALongOne() {
    Progress brief = progress(20, false);
    for (int i = 0; i < 20; i++) {
      brief.step(i < 16 ? 4 : 0.01, 1);
    }
    assertThat(written()).contains("20/20  loss 0.01");

    Progress lengthy = progress(201, false);
    for (int i = 0; i < 200; i++) {
      lengthy.step(1, 1);
    }
    lengthy.step(2, 1);
    assertThat(written()).contains("201/201  loss 1.1");
  }

  @Test
  void withoutATotalNoTimeLeftIsShown() {
    Progress progress = progress(0, false);
    seconds(70);
    progress.step(1, 7000);

    assertThat(written().strip()).startsWith("train 1  ").contains("100 tokens/s").endsWith("in 1 min 10 s");
  }

  @Test
  void nothingIsWrittenWithoutStepsOrWhenItIsOff() {
    progress(10, true).close();
    try (Progress off = new Progress("train", 1, false, null, true, now::get)) {
      off.step(1, 1);
    }

    assertThat(written()).isEmpty();
  }

  @Test
  void aNegativeTotalIsRefused() {
    assertThatThrownBy(() -> Progress.of("train", -1)).isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("-1");
  }

  @Test
  void describesItselfOnOneShortLine() {
    Progress progress = new Progress("<b>\n" + "x".repeat(200), 10, false, null, false, now::get);

    assertThat(progress.toString()).hasSizeLessThanOrEqualTo(80).doesNotContainPattern("[<>\n]");
  }

  @Test
  void whatIsBegunMeanwhileSharesTheTerminalLineAndLeavesNoneOfItsOwn() {
    try (Progress outer = progress(10, true)) {
      seconds(1);
      outer.step(1, 10);
      try (Progress inner = new Progress("validate", 0, true, out, true, now::get)) {
        seconds(2);
        inner.step(2, 10);
      }
      seconds(1);
      outer.step(1, 10);
    }

    assertThat(written().split("\r")).hasSize(6).anyMatch(line -> line.startsWith("validate 1"));
    assertThat(written()).containsOnlyOnce(System.lineSeparator());
    assertThat(written()).endsWith(System.lineSeparator());
  }

  @Test
  void inALogAShortValidationSaysNothingAndALongOneItsEnd() {
    try (Progress outer = progress(10, false)) {
      try (Progress inner = new Progress("validate", 0, true, out, false, now::get)) {
        seconds(1);
        inner.step(2, 10);
      }
      assertThat(written()).isEmpty();
      try (Progress inner = new Progress("validate", 0, true, out, false, now::get)) {
        seconds(8);
        inner.step(2, 10);
      }
      assertThat(outer.toString()).contains("0/10");
    }

    assertThat(written().lines()).hasSize(1).first().asString().startsWith("validate 1");
  }

  @Test
  void aPassingLineSaysNothingInItsFirstTwoSeconds() {
    try (Progress passing = new Progress("validate", 3, true, out, true, now::get)) {
      seconds(0.5);
      passing.step(2, 10);
      seconds(0.5);
      passing.step(2, 10);
      seconds(0.5);
      passing.step(2, 10);
    }

    assertThat(written()).isEmpty();
  }

  @Test
  void whatIsWatchedShowsHowFarTheWorkSaysThatItIs() {
    Progress line = new Progress("sample", 0, true, out, false, now::get);
    line.during(meter -> {
      meter.expect(8, 800);
      seconds(2);
      meter.add(1, 200, 150);
      line.tick();
      seconds(5);
      meter.add(7, 600, 550);
      return null;
    });

    assertThat(written().lines()).hasSize(2);
    assertThat(written().lines().findFirst().orElseThrow()).startsWith("sample 1/8  75 tokens/s").endsWith("6 s left");
    assertThat(written().strip()).contains("sample 8/8  100 tokens/s").endsWith("in 7 s");
  }

  @Test
  void inALogNothingIsLeftStandingThatSoonChanges() {
    Progress line = new Progress("sample", 0, true, out, false, now::get);
    line.during(meter -> {
      meter.expect(1, 100);
      seconds(3);
      meter.add(1, 100, 100);
      return null;
    });
    assertThat(written()).isEmpty();
    Progress counted = new Progress("validate", 2, true, out, false, now::get);
    seconds(4);
    counted.step(1, 10);
    assertThat(written()).as("it may be done in a second").isEmpty();
    seconds(4);
    counted.step(1, 10);
    counted.close();
    assertThat(written().lines()).singleElement().asString().startsWith("validate 2/2");
  }

  @Test
  void loadingCountsMegabytes() {
    Progress line = new Progress("load m", 0, true, out, true, now::get);
    line.during(meter -> {
      seconds(2);
      line.tick();
      meter.expectBytes(500_000_000);
      seconds(4);
      meter.addBytes(100_000_000);
      line.tick();
      return null;
    });

    String[] lines = written().split("\r");
    assertThat(lines[1]).startsWith("load m  ").doesNotContain("left");
    assertThat(lines[2]).startsWith("load m 100/500 MB  25 MB/s").contains("16 s left");
    assertThat(lines[lines.length - 1]).isBlank();
  }

  @Test
  void whatIsWatchedGivesItsResultAndItsErrors() {
    assertThat(Progress.<String>watch("load", meter -> "done")).isEqualTo("done");
    assertThatThrownBy(() -> Progress.watch("load", meter -> {
      throw new InvalidInputException("no");
    })).isInstanceOf(InvalidInputException.class).hasMessage("no");
  }

  @Test
  void whatNobodyAskedForStaysOutOfTheResultsOfAProgram() {
    String before = System.getProperty("fettle.progress");
    try {
      System.clearProperty("fettle.progress");
      assertThat(Progress.stream(true, false)).isSameAs(System.err);
      assertThat(Progress.stream(false, false)).isSameAs(System.out);
      assertThat(Progress.stream(true, true)).as("an error stream looks like an error in a notebook").isSameAs(System.out);
      System.setProperty("fettle.progress", "err");
      assertThat(Progress.stream(false, false)).isSameAs(System.err);
      System.setProperty("fettle.progress", "off");
      assertThat(Progress.stream(true, false)).isNull();
    } finally {
      if (before == null) {
        System.clearProperty("fettle.progress");
      } else {
        System.setProperty("fettle.progress", before);
      }
    }
  }
}
