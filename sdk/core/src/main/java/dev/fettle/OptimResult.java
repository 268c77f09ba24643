package dev.fettle;

import java.util.Locale;

/**
 * What an optimizer step did.
 *
 * @param step how many steps this training has made
 * @param learningRate of this step
 * @param gradientNorm the L2 norm of the gradient of all trained weights, before clipping
 */
public record OptimResult(long step, double learningRate, double gradientNorm) {
  @Override
  public String toString() {
    return String.format(Locale.ROOT, "OptimResult[step %d, learning rate %.3g, gradient norm %.4g]", step, learningRate,
        gradientNorm);
  }
}
