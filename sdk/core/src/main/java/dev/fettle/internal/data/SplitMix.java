package dev.fettle.internal.data;

/**
 * The SplitMix64 generator (Steele, Lea and Flood 2014). Our own, because the JDK does not promise that its bounded
 * draws stay the same from version to version, and a saved position relies on that.
 */
final class SplitMix {
  private static final long GAMMA = 0x9E3779B97F4A7C15L;

  private long state;

  /** A generator for one pass; {@code use} keeps apart the different uses of one seed. */
  SplitMix(String use, long seed, long pass) {
    state = mix(mix(mix(ContentHash.of(use)) + seed) + pass);
  }

  /** Scrambles 64 bits; a bijection. */
  static long mix(long z) {
    z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    return z ^ (z >>> 31);
  }

  /** 64 bits as a fraction in [0, 1). */
  static double fraction(long bits) {
    return (bits >>> 11) * 0x1p-53;
  }

  private long next() {
    state += GAMMA;
    return mix(state);
  }

  /** A number in [0, 1). */
  double fraction() {
    return fraction(next());
  }

  /** A number from 0 to {@code bound - 1}; the bias is below bound / 2^31. */
  int below(int bound) {
    return (int) (((next() >>> 33) * bound) >>> 31);
  }
}
