package dev.fettle.internal.ranking;

import java.util.SplittableRandom;

/** Tests of whether the mean of paired differences could be 0. */
public final class PairedTests {
  private static final int ALL_UP_TO = 16;
  private static final double ROUNDING = 1e-12;

  private PairedTests() {}

  /**
   * Two-sided p of the paired randomisation test: how often the sum would be at least as far from 0 if each sign were
   * random. All assignments are tried for up to 16 differences; beyond, random ones, and the observed one counts too.
   */
  public static double randomisation(double[] differences, int shuffles, long seed) {
    double observed = 0;
    double size = 0;
    for (double d : differences) {
      observed += d;
      size += Math.abs(d);
    }
    double threshold = Math.abs(observed) - ROUNDING * size;
    boolean all = differences.length <= ALL_UP_TO;
    int trials = all ? 1 << differences.length : shuffles;
    SplittableRandom random = new SplittableRandom(seed);
    int extreme = 0;
    for (int trial = 0; trial < trials; trial++) {
      double sum = 0;
      long signs = trial;
      for (int i = 0; i < differences.length; i++) {
        if (!all && (i & 63) == 0) {
          signs = random.nextLong();
        }
        sum += (signs & 1) == 0 ? differences[i] : -differences[i];
        signs >>>= 1;
      }
      extreme += Math.abs(sum) >= threshold ? 1 : 0;
    }
    return all ? (double) extreme / trials : (extreme + 1.0) / (trials + 1.0);
  }

  /** Two-sided p of the paired t-test; 1 if all differences are 0, NaN if they are all equal otherwise. */
  public static double student(double... differences) {
    int n = differences.length;
    double mean = mean(differences);
    double squares = squares(differences);
    if (squares == 0) {
      return mean == 0 ? 1 : Double.NaN;
    }
    double t = mean / Math.sqrt(squares / (n - 1) / n);
    return tail(t, n - 1);
  }

  private static double mean(double[] values) {
    double mean = 0;
    for (double value : values) {
      mean += value / values.length;
    }
    return mean;
  }

  /** The sum of the squares of what is between values and their mean. */
  static double squares(double[] values) {
    double mean = mean(values);
    double squares = 0;
    for (double value : values) {
      squares += (value - mean) * (value - mean);
    }
    return squares;
  }

  /** Two-sided p of a t with so many degrees of freedom, which need not be whole. */
  public static double tail(double t, double degrees) {
    return IncompleteBeta.of(degrees / 2, 0.5, degrees / (degrees + t * t));
  }
}
