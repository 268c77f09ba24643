package dev.fettle.internal.model;

/**
 * Llama 3.1 (Grattafiori et al. 2024): long wavelengths divided by the factor, short ones kept, a ramp between.
 *
 * @param lowFrequencyFactor wavelengths above original context / this are divided in full
 * @param highFrequencyFactor wavelengths below original context / this are kept; above lowFrequencyFactor
 * @param originalContextLength positions that the model was trained on before it was extended
 */
public record Llama3Rope(int dim, double theta, double factor, double lowFrequencyFactor, double highFrequencyFactor,
    int originalContextLength) implements Rope {
  @Override
  public float[] frequencies(int length) {
    float[] frequencies = RopePowers.inverse((float) theta, dim);
    for (int i = 0; i < frequencies.length; i++) {
      frequencies[i] = scale(frequencies[i]);
    }
    return frequencies;
  }

  private float scale(float frequency) {
    float wavelength = (1f / frequency) * (float) (2 * Math.PI);
    if (wavelength > (float) (originalContextLength / lowFrequencyFactor)) {
      return frequency / (float) factor;
    }
    if (wavelength < (float) (originalContextLength / highFrequencyFactor)) {
      return frequency;
    }
    float smooth = ((1f / wavelength) * originalContextLength - (float) lowFrequencyFactor)
        / (float) (highFrequencyFactor - lowFrequencyFactor);
    return (1 - smooth) * frequency / (float) factor + smooth * frequency;
  }
}
