package dev.fettle.internal.torch;

import dev.fettle.InvalidInputException;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Which library multiplies matrices. It is chosen by what does not change from one start to the next, the processor's
 * maker and its instructions, since each library adds up in an order of its own: a choice by time could fall out
 * otherwise in another process and change the last bits of what it computes. The rules stand for measurements on
 * processors with AVX2 alone, with AVX-512, with bf16 instructions and with AMX; PERFORMANCE.md has the figures.
 *
 * @param onednnF32 oneDNN rather than MKL for products in f32. MKL is fast on the processors of its own maker and held
 *     back on others
 * @param onednnBf16 oneDNN with packed weights for products in bf16: wherever the processor has instructions for them
 */
public record KernelSelection(boolean onednnF32, boolean onednnBf16) {
  /** What any processor runs. */
  static final KernelSelection PLAIN = new KernelSelection(false, false);

  /**
   * The selection for this processor; the property {@code fettle.kernels} asks for {@code plain} or {@code onednn}
   * instead, {@code auto} is its default.
   *
   * @param torch with the kernels loaded, of which some are tried: not every build of libtorch has oneDNN, and not every
   *     processor its bf16 products
   */
  static KernelSelection of(Torch torch, Processor processor) {
    boolean bf16 = torch.runs("bf16_packs");
    return switch (asked()) {
      case "auto" -> new KernelSelection(!processor.isIntel() && torch.runs("onednn_multiplies"), bf16);
      case "plain" -> PLAIN;
      case "onednn" -> new KernelSelection(true, bf16);
      default -> throw new InvalidInputException("the system property fettle.kernels is \"" + asked()
          + "\": give auto, plain or onednn");
    };
  }

  /** Whether the user has chosen, by the property {@code fettle.kernels}. */
  static boolean isAsked() {
    return !asked().equals("auto");
  }

  private static String asked() {
    return System.getProperty("fettle.kernels", "auto").toLowerCase(Locale.ROOT);
  }

  /** Reads what {@link #toString} wrote; empty where it is something else. */
  static Optional<KernelSelection> parse(String text) {
    return Stream.of(PLAIN, new KernelSelection(true, false), new KernelSelection(false, true), new KernelSelection(true, true))
        .filter(s -> s.toString().equals(text)).findFirst();
  }

  /** Such as {@code f32 onednn, bf16 plain}. */
  @Override
  public String toString() {
    return "f32 " + (onednnF32 ? "onednn" : "mkl") + ", bf16 " + (onednnBf16 ? "onednn" : "plain");
  }
}
