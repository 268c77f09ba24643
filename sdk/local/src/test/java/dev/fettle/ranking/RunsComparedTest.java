package dev.fettle.ranking;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.fettle.InvalidInputException;
import dev.fettle.internal.ranking.PairedTests;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;

class RunsComparedTest {
  private static final double[] EIGHT = {0.03, -0.01, 0.04, 0.01, -0.05, 0.09, 0.02, 0.06};

  private static Scores scores(String name, double... values) {
    Map<String, Double> perQuery = new LinkedHashMap<>();
    for (int i = 0; i < values.length; i++) {
      perQuery.put("q" + i, values[i]);
    }
    return new Scores(Metric.map(), name, perQuery);
  }

  @Test
  void studentsTestGivesThePOfTheTDistribution() {
    assertThat(PairedTests.student(EIGHT)).isEqualTo(0.160019244706825, within(1e-12));
    assertThat(PairedTests.student(0.120, -0.030, 0.045, 0.200, -0.010, 0.077, 0.030, 0.005, -0.064, 0.090, 0.011,
        0.150,
        -0.042, 0.033, 0.008)).isEqualTo(0.0467111892991376, within(1e-12));
    assertThat(PairedTests.student(1, 2)).isEqualTo(0.204832764699133, within(1e-12));
    assertThat(PairedTests.student(0, 0)).isEqualTo(1);
    assertThat(PairedTests.student(0.5, 0.5)).isNaN();
  }

  @Test
  void fewDifferencesAreTestedByAllAssignmentsOfSigns() {
    assertThat(PairedTests.randomisation(EIGHT, 10, 1)).isEqualTo(0.1875);
    assertThat(PairedTests.randomisation(new double[] {0.1, 0.2, 0.3}, 10, 1)).isEqualTo(0.25);
    assertThat(PairedTests.randomisation(new double[4], 10, 1)).isEqualTo(1);
  }

  @Test
  void manyDifferencesAreTestedByRandomSignsThatAgreeWithTheNormalDistribution() {
    double[] differences = new double[100];
    for (int i = 0; i < differences.length; i++) {
      differences[i] = i < 60 ? 1 : -1;
    }
    // P(|sum of 100 signs| >= 20) of the binomial distribution.
    assertThat(PairedTests.randomisation(differences, 100_000, 3)).isEqualTo(0.05689, within(0.003));
    assertThat(PairedTests.randomisation(differences, 1000, 3)).isEqualTo(PairedTests.randomisation(differences, 1000,
        3));
  }

  @Test
  void aDifferenceIsSecondLessFirstWithItsIntervalAndTests() {
    double[] base = {0.1, 0.2, 0.3, 0.4, 0.5, 0.1, 0.2, 0.3};
    double[] better = new double[8];
    for (int i = 0; i < 8; i++) {
      better[i] = base[i] + EIGHT[i];
    }

    Difference difference = scores("base", base).to(scores("better", better), 7);

    assertThat(difference.mean()).isEqualTo(0.02375, within(1e-12));
    assertThat(difference.interval().contains(0.02375)).isTrue();
    // Bootstrap standard error: the deviation of the eight over the root of eight.
    assertThat(difference.interval().low()).isEqualTo(0.02375 - 1.96 * 0.01423, within(4e-3));
    assertThat(difference.interval().high()).isEqualTo(0.02375 + 1.96 * 0.01423, within(4e-3));
    assertThat(difference.randomisationP()).isEqualTo(0.1875);
    assertThat(difference.studentP()).isEqualTo(0.160019244706825, within(1e-9));
    assertThat(difference.significant()).isFalse();
    assertThat(difference).isEqualTo(scores("base", base).to(scores("better", better), 7));
    assertThat(difference.toString()).startsWith("Difference[+0.0237 [").hasSizeLessThanOrEqualTo(80);
  }

  @Test
  void runsWithOtherQueriesOrMetricsCannotBeCompared() {
    Scores one = scores("one", 0.1, 0.2);
    assertThatThrownBy(() -> one.to(scores("other", 0.1), 0)).isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("one has 2 queries and other 1").hasMessageContaining("complete()");
    assertThatThrownBy(() -> one.to(new Scores(Metric.mrr(), "x", one.perQuery()), 0))
        .hasMessageContaining("MAP with MRR");
    assertThatThrownBy(() -> scores("a", 1).to(scores("b", 1), 0)).hasMessageContaining("too few");
  }
}
