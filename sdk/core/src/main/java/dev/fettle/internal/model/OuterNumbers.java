package dev.fettle.internal.model;

import java.util.OptionalInt;

/**
 * The numbers that kernels need outside the layers, in the order in which they read them.
 *
 * @param eps of the norms
 * @param unitOffset whether the final norm multiplies with 1 + weight
 * @param embeddingScale what embeddings are multiplied with
 * @param logitDivisor what logits are divided by
 * @param logitCap what the magnitude of logits approaches, {@code cap tanh(logit / cap)}; 0 for none
 * @param padding the token that texts are padded with, whose input embedding learns nothing from them, as in transformers
 */
public record OuterNumbers(double eps, boolean unitOffset, EmbeddingScale embeddingScale, double logitDivisor,
    double logitCap, OptionalInt padding) {
  /** The numbers by the names that the kernels' source has for them ({@code Outer.LOGIT_CAP}). */
  public enum Outer {
    EPS, UNIT_OFFSET, EMBEDDING_SCALE, LOGIT_DIVISOR, LOGIT_CAP
  }

  /**
   * What embeddings are multiplied with.
   *
   * @param rounded whether it is rounded to the type of the computation first, as Gemma's is
   */
  public record EmbeddingScale(double value, boolean rounded) {
    /** Embeddings as they are. */
    public static final EmbeddingScale NONE = new EmbeddingScale(1, false);
  }

  /** Embeddings and logits as they are. */
  public static OuterNumbers of(double eps, OptionalInt padding) {
    return new OuterNumbers(eps, false, EmbeddingScale.NONE, 1, 0, padding);
  }

  /** The same with logits as they are: what transformers computes for a decoder within another model, whatever its own settings say. */
  OuterNumbers plainLogits() {
    return new OuterNumbers(eps, unitOffset, embeddingScale, 1, 0, padding);
  }

  /**
   * The numbers as kernels take them.
   *
   * @param bf16 whether is computed in bfloat16
   */
  public double[] reals(boolean bf16) {
    double scale = embeddingScale.rounded && bf16 ? roundedToBf16((float) embeddingScale.value) : (float) embeddingScale.value;
    return new double[] {eps, unitOffset ? 1 : 0, scale, logitDivisor, logitCap};
  }

  /** To the nearest number of 8 significant bits, ties to even. */
  private static float roundedToBf16(float value) {
    int bits = Float.floatToRawIntBits(value);
    return Float.intBitsToFloat((bits + 0x7FFF + (bits >>> 16 & 1)) & 0xFFFF0000);
  }
}
