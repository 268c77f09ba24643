package dev.fettle.internal.chart;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

class SmoothTest {
  @Test
  void aLineStaysTheLineThatItIsToBothEndsAndPastAGap() {
    double[] line = new double[40];
    Arrays.setAll(line, i -> i == 17 ? Double.NaN : 5 - 0.25 * i);

    double[] smooth = Smooth.of(line);

    for (int i = 0; i < line.length; i++) {
      if (i == 17) {
        assertThat(smooth[i]).isNaN();
      } else {
        assertThat(smooth[i]).isCloseTo(line[i], within(1e-12));
      }
    }
  }

  @Test
  void aLossThatFallsFastIsNotShownAboveWhereItIs() {
    double[] loss = new double[75];
    Arrays.setAll(loss, i -> 7 * Math.exp(-i / 8.0));

    double[] smooth = Smooth.of(loss);

    // A moving average of the steps before is at 1.6 times the loss here, and more later.
    for (int i = 0; i < loss.length; i++) {
      assertThat(smooth[i]).as("step %s", i).isBetween(0.85 * loss[i], 1.15 * loss[i]);
    }
  }

  @Test
  void noiseIsSmaller() {
    Random random = new Random(1);
    double[] noise = random.doubles(400, -1, 1).toArray();

    double[] smooth = Smooth.of(noise);

    assertThat(deviation(Arrays.copyOfRange(smooth, 20, 380))).isLessThan(0.3 * deviation(noise));
    assertThat(Smooth.of(new double[0])).isEmpty();
    assertThat(Smooth.of(new double[] {3})).containsExactly(3);
  }

  private static double deviation(double[] values) {
    double mean = Arrays.stream(values).average().orElseThrow();
    return Math.sqrt(Arrays.stream(values).map(v -> (v - mean) * (v - mean)).average().orElseThrow());
  }
}
