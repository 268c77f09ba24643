package dev.fettle.internal.ranking;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class HolmTest {
  @Test
  void eachPIsMultipliedByHowManyAreNotLessAndNeverFallsBelowALesserOnes() {
    // 4 x 0.005, 3 x 0.01, 2 x 0.03, and 0.04 which the one before it holds up.
    assertThat(Holm.corrected(0.01, 0.04, 0.03, 0.005)).containsExactly(new double[] {0.03, 0.06, 0.06, 0.02}, within(1e-15));
    assertThat(Holm.corrected(0.5, 0.9)).containsExactly(1, 1);
    assertThat(Holm.corrected()).isEmpty();
  }

  @Test
  void equalValuesStayEqual() {
    assertThat(Holm.corrected(0.01, 0.01, 0.01)).containsExactly(new double[] {0.03, 0.03, 0.03}, within(1e-15));
  }

  @Test
  void aTestThatCannotBeMadeCountsAsNotTold() {
    assertThat(Holm.corrected(Double.NaN, 0.01)).containsExactly(new double[] {1, 0.02}, within(1e-15));
  }

  @Test
  void testsOfTheFamilyThatWereNotMadeCountToo() {
    assertThat(Holm.corrected(new double[] {0.01, 0.04}, 5)).containsExactly(new double[] {0.05, 0.16}, within(1e-15));
    assertThat(Holm.corrected(new double[] {0.01, 0.04}, 2)).containsExactly(Holm.corrected(0.01, 0.04));
  }
}
