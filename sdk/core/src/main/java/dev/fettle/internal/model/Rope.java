package dev.fettle.internal.model;

/**
 * Rotary position embedding: which angle each pair of a head's numbers turns by per position. The formulas are those
 * of transformers ({@code modeling_rope_utils}); immutable.
 */
public sealed interface Rope {
  /** The base of the wavelengths. */
  double theta();

  /** No rescaling. */
  record Default(double theta) implements Rope {}

  /** All angles divided by the factor. */
  record Linear(double theta, double factor) implements Rope {}

  /**
   * Llama 3.1: long wavelengths divided by the factor, short ones kept, a ramp between.
   *
   * @param lowFrequencyFactor wavelengths above original context / this are divided in full
   * @param highFrequencyFactor wavelengths below original context / this are kept; above lowFrequencyFactor
   * @param originalContextLength positions that the model was trained on before it was extended
   */
  record Llama3(
      double theta,
      double factor,
      double lowFrequencyFactor,
      double highFrequencyFactor,
      int originalContextLength)
      implements Rope {}

  /**
   * Radians per position for each of the headDim / 2 pairs. Computed in 32-bit floats in transformers' order of
   * operations, so that they agree with it to the last bits.
   */
  default double[] inverseFrequencies(int headDim) {
    double[] result = new double[headDim / 2];
    for (int i = 0; i < result.length; i++) {
      float exponent = 2f * i / headDim;
      float power = (float) Math.pow((float) theta(), exponent);
      result[i] = scale(1f / power);
    }
    return result;
  }

  private float scale(float frequency) {
    if (this instanceof Linear linear) {
      return frequency / (float) linear.factor;
    }
    return this instanceof Llama3 llama3 ? scale(llama3, frequency) : frequency;
  }

  private static float scale(Llama3 rope, float frequency) {
    float factor = (float) rope.factor;
    float wavelength = (1f / frequency) * (float) (2 * Math.PI);
    if (wavelength > (float) (rope.originalContextLength / rope.lowFrequencyFactor)) {
      return frequency / factor;
    }
    if (wavelength < (float) (rope.originalContextLength / rope.highFrequencyFactor)) {
      return frequency;
    }
    float smooth =
        ((1f / wavelength) * rope.originalContextLength - (float) rope.lowFrequencyFactor)
            / (float) (rope.highFrequencyFactor - rope.lowFrequencyFactor);
    return (1 - smooth) * frequency / factor + smooth * frequency;
  }
}
