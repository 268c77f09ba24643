package dev.fettle.internal.torch;

import ai.djl.pytorch.jni.IValue;
import dev.fettle.FettleException;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Which library multiplies matrices on this processor: measured when the kernels are loaded, never guessed by its name.
 * The property {@code fettle.kernels} forces {@code plain} or {@code onednn}; {@code auto} is the default.
 *
 * @param onednn oneDNN rather than MKL for products in f32
 * @param onednnRow oneDNN rather than dot products for a single row in bf16
 * @param packedRow weights that oneDNN has packed rather than either, for the few rows of decoding in bf16
 * @param packedRows weights that oneDNN has packed rather than those as they are, for many rows in bf16: wherever the
 *     processor can, since that is a third faster or nothing, and a choice by time might fall out differently in another
 *     run and change the last bits of its results
 */
record Choice(boolean onednn, boolean onednnRow, boolean packedRow, boolean packedRows) {
  /** What any processor runs. */
  static final Choice PLAIN = new Choice(false, false, false, false);

  private static final Logger LOG = LoggerFactory.getLogger(Choice.class);
  /** How much less time another library must take to be chosen. */
  private static final double ADVANTAGE = 0.85;
  private static final int TRIES = 5;
  /** Matrices multiplied in turn, so that none stays in the cache of a core, as the weights of a model do not. */
  private static final int MATRICES = 12;

  /** Chooses by means of kernels that were loaded with {@link #PLAIN}. */
  static Choice measured(Torch torch) {
    switch (System.getProperty("fettle.kernels", "auto")) {
      case "plain":
        return PLAIN;
      case "onednn":
        return new Choice(true, true, packs(torch), packs(torch));
      default:
        double mkl = seconds(torch, "mkl_product", "clone", 512, 512, 1, NumberType.F32);
        double onednn = seconds(torch, "onednn_product", "clone", 512, 512, 1, NumberType.F32);
        double dots = seconds(torch, "vector_product", "clone", 1, 768, MATRICES, NumberType.BF16);
        double row = seconds(torch, "onednn_product", "clone", 1, 768, MATRICES, NumberType.BF16);
        double packed = seconds(torch, "onednn_product", "packed", 1, 768, MATRICES, NumberType.BF16);
        Choice choice = new Choice(onednn < ADVANTAGE * mkl, row < ADVANTAGE * dots,
            packed < ADVANTAGE * Math.min(dots, row), packs(torch));
        LOG.info("products in f32: MKL {} us, oneDNN {} us; of one row in bf16: dots {} us, oneDNN {} us, packed {} us; "
            + "chose {}", micros(mkl), micros(onednn), micros(dots), micros(row), micros(packed), choice);
        return choice;
    }
  }

  private static boolean packs(Torch torch) {
    return seconds(torch, "onednn_product", "packed", 1, 64, 1, NumberType.BF16) < Double.POSITIVE_INFINITY;
  }

  /**
   * The best time of several for products of rows x inputs with matrices of inputs x inputs, one after the other; endless
   * where the processor cannot do it.
   */
  private static double seconds(Torch torch, String kernel, String prepare, long rows, long inputs, int matrices,
      NumberType type) {
    List<IValue> weights = new ArrayList<>();
    try (IValue x = ones(torch, rows, inputs, type)) {
      for (int i = 0; i < matrices; i++) {
        try (IValue plain = ones(torch, inputs, inputs, type)) {
          weights.add(torch.run(prepare, plain));
        }
      }
      double best = Double.POSITIVE_INFINITY;
      for (int i = 0; i < TRIES; i++) {
        long start = System.nanoTime();
        for (IValue w : weights) {
          torch.run(kernel, x, w).close();
        }
        best = Math.min(best, (System.nanoTime() - start) / 1e9);
      }
      return best;
    } catch (FettleException e) {
      LOG.debug("{} of {} weights is not possible on this processor: {}", kernel, prepare, e.getMessage());
      return Double.POSITIVE_INFINITY;
    } finally {
      weights.forEach(IValue::close);
    }
  }

  /** Of ones: what is in a matrix has no part in the time, and random numbers would take longer than all products. */
  private static IValue ones(Torch torch, long rows, long columns, NumberType type) {
    try (IValue shape = IValue.listFrom(rows, columns);
        IValue one = IValue.from(1.0);
        IValue code = IValue.from((long) type.code())) {
      return torch.run("constant", shape, one, code);
    }
  }

  private static String micros(double seconds) {
    return seconds < Double.POSITIVE_INFINITY ? Long.toString(Math.round(1e6 * seconds)) : "none";
  }
}
