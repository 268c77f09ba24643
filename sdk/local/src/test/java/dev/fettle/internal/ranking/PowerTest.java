package dev.fettle.internal.ranking;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class PowerTest {
  private static final double[] EIGHT = {0.03, -0.01, 0.04, 0.01, -0.05, 0.09, 0.02, 0.06};

  /** scipy 1.x: (t.ppf(0.975, 7) + t.ppf(0.8, 7)) * std(ddof=1) / sqrt(8), and the same of 0.01 and 0.9. */
  @Test
  void theDetectableDifferenceIsThatOfScipysQuantiles() {
    assertThat(Power.detectable(EIGHT, 0.05, 0.8)).isEqualTo(0.049272376843988726, within(1e-9));
    assertThat(Power.detectable(EIGHT, 0.01, 0.9)).isEqualTo(0.07426256587951893, within(1e-9));
  }

  @Test
  void equalDifferencesAreTooManyOrTooFewToHaveASpread() {
    assertThat(Power.detectable(new double[] {0.1, 0.1, 0.1}, 0.05, 0.8)).isCloseTo(0, within(1e-12));
    assertThat(Power.detectable(new double[] {0.1}, 0.05, 0.8)).isNaN();
  }
}
