package dev.fettle.internal.network;

import java.util.Arrays;

/** What the codes of quantised numbers stand for, before they are multiplied with a scale. */
public enum Levels {
  /** The integers from -127 to 127, in 8 bits. */
  INT8,
  /** 16 levels, as many of a normal distribution between any two of them (Dettmers et al. 2023). */
  NF4(-1.0, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635, -0.18477343022823334,
      -0.09105003625154495, 0.0, 0.07958029955625534, 0.16093020141124725, 0.24611230194568634, 0.33791524171829224,
      0.44070982933044434, 0.5626170039176941, 0.7229568362236023, 1.0),
  /** 4-bit floating point of bitsandbytes. */
  FP4(0.0, 1 / 192.0, 2 / 3.0, 1.0, 1 / 3.0, 0.5, 1 / 6.0, 0.25, 0.0, -1 / 192.0, -2 / 3.0, -1.0, -1 / 3.0, -0.5, -1 / 6.0, -0.25),
  /** The integers from -8 to 7. */
  INT4(-8, -7, -6, -5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 7),
  /** The integers from 0 to 15, to which each block adds a number of its own. */
  UINT4(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);

  private static final int EXPONENTS = 7;

  private final double[] of;

  Levels(double... of) {
    this.of = of;
  }

  /** The level of each code; of 8 bits none. */
  public float[] levels() {
    return floats(of);
  }

  /** The two levels of each byte in turn, the upper half first: [256, 2]. */
  float[] pairs() {
    double[] out = new double[512];
    Arrays.setAll(out, i -> of[i % 2 == 0 ? i / 2 / 16 : i / 2 % 16]);
    return floats(out);
  }

  /**
   * The 256 levels that bitsandbytes rounds scales to, rising: for each power of ten from -6 to 0 twice as many as for the one
   * before, in the middle of equal parts of what lies between a tenth of it and itself, of both signs; 0 and 1.
   */
  static float[] ofScales() {
    double[] out = new double[256];
    int at = 0;
    for (int e = 0; e < EXPONENTS; e++) {
      int parts = 1 << e;
      for (int i = 0; i < parts; i++) {
        double middle = (0.1 + 0.9 * (i + 0.5) / parts) * Math.pow(10, e - EXPONENTS + 1);
        out[at++] = middle;
        out[at++] = -middle;
      }
    }
    out[at] = 1;
    Arrays.sort(out);
    return floats(out);
  }

  private static float[] floats(double... values) {
    float[] out = new float[values.length];
    for (int i = 0; i < out.length; i++) {
      out[i] = (float) values[i];
    }
    return out;
  }
}
