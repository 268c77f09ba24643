package dev.fettle.internal.torch;

import ai.djl.pytorch.jni.IValue;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Which library multiplies matrices on this processor: measured when the kernels are loaded, never guessed by its name.
 * The property {@code fettle.kernels} forces {@code plain} or {@code onednn}; {@code auto} is the default.
 *
 * @param onednn oneDNN rather than MKL for products in f32
 * @param onednnRow oneDNN rather than dot products for a single row in bf16
 */
record Choice(boolean onednn, boolean onednnRow) {
  /** What any processor runs. */
  static final Choice PLAIN = new Choice(false, false);

  private static final Logger LOG = LoggerFactory.getLogger(Choice.class);
  /** How much less time another library must take to be chosen. */
  private static final double ADVANTAGE = 0.85;
  private static final int TRIES = 5;

  /** Chooses by means of kernels that were loaded with {@link #PLAIN}. */
  static Choice measured(Torch torch) {
    switch (System.getProperty("fettle.kernels", "auto")) {
      case "plain":
        return PLAIN;
      case "onednn":
        return new Choice(true, true);
      default:
        double mkl = seconds(torch, "mkl_product", 512, 512, NumberType.F32);
        double onednn = seconds(torch, "onednn_product", 512, 512, NumberType.F32);
        double dots = seconds(torch, "vector_product", 1, 1024, NumberType.BF16);
        double row = seconds(torch, "onednn_product", 1, 1024, NumberType.BF16);
        Choice choice = new Choice(onednn < ADVANTAGE * mkl, row < ADVANTAGE * dots);
        LOG.info("products in f32: MKL {} us, oneDNN {} us; of one row in bf16: dots {} us, oneDNN {} us; chose {}",
            micros(mkl), micros(onednn), micros(dots), micros(row), choice);
        return choice;
    }
  }

  /** The best time of several for rows x inputs by inputs x inputs. */
  private static double seconds(Torch torch, String kernel, long rows, long inputs, NumberType type) {
    try (IValue code = IValue.from((long) type.code());
        IValue std = IValue.from(1.0);
        IValue one = IValue.listFrom(rows, inputs);
        IValue square = IValue.listFrom(inputs, inputs);
        IValue x = torch.run("normal", one, std, code);
        IValue w = torch.run("normal", square, std, code)) {
      double best = Double.MAX_VALUE;
      for (int i = 0; i < TRIES; i++) {
        long start = System.nanoTime();
        torch.run(kernel, x, w).close();
        best = Math.min(best, (System.nanoTime() - start) / 1e9);
      }
      return best;
    }
  }

  private static long micros(double seconds) {
    return Math.round(1e6 * seconds);
  }
}
