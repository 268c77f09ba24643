package dev.fettle;

/**
 * The settings of one optimizer step: AdamW (Loshchilov and Hutter 2019) with bias correction, decoupled weight decay and
 * clipping by the global L2 norm, as {@code torch.optim.AdamW} and {@code clip_grad_norm_} compute them. Immutable.
 *
 * @param learningRate default 1e-4
 * @param beta1 decay of the first moment, default 0.9
 * @param beta2 decay of the second moment, default 0.95
 * @param eps added to the root of the second moment, default 1e-12
 * @param weightDecay fraction of a weight taken off per unit of learning rate, default 0
 * @param clipNorm the largest L2 norm of the gradient of all trained weights together; 0, the default, for no limit
 */
public record AdamW(double learningRate, double beta1, double beta2, double eps, double weightDecay, double clipNorm) {
  /** Beyond it the 32-bit arithmetic of a step could overflow half-way. */
  private static final double MOST = 1e6;

  public AdamW {
    require(learningRate >= 0 && learningRate <= MOST, "learningRate", learningRate, "at least 0 and at most 1e6");
    require(beta1 >= 0 && beta1 < 1, "beta1", beta1, "at least 0 and less than 1");
    require(beta2 >= 0 && beta2 < 1, "beta2", beta2, "at least 0 and less than 1");
    require(eps >= Float.MIN_NORMAL && eps <= MOST, "eps", eps, "at least 1.2e-38, the least that 32-bit numbers hold "
        + "in full, and at most 1e6");
    require(weightDecay >= 0 && weightDecay <= MOST, "weightDecay", weightDecay, "at least 0 and at most 1e6");
    require(clipNorm >= 0 && clipNorm < Double.POSITIVE_INFINITY, "clipNorm", clipNorm, "at least 0");
  }

  /** The defaults, which are those of the Tinker service. */
  public static AdamW standard() {
    return learningRate(1e-4);
  }

  /** The defaults with another learning rate. */
  public static AdamW learningRate(double value) {
    return new AdamW(value, 0.9, 0.95, 1e-12, 0, 0);
  }

  /** With another learning rate. */
  public AdamW withLearningRate(double value) {
    return new AdamW(value, beta1, beta2, eps, weightDecay, clipNorm);
  }

  /** With other decay rates of the moments. */
  public AdamW betas(double first, double second) {
    return new AdamW(learningRate, first, second, eps, weightDecay, clipNorm);
  }

  /** With another eps. */
  public AdamW eps(double value) {
    return new AdamW(learningRate, beta1, beta2, value, weightDecay, clipNorm);
  }

  /** With weight decay. */
  public AdamW weightDecay(double value) {
    return new AdamW(learningRate, beta1, beta2, eps, value, clipNorm);
  }

  /** With gradient clipping. */
  public AdamW clipNorm(double value) {
    return new AdamW(learningRate, beta1, beta2, eps, weightDecay, value);
  }

  private static void require(boolean condition, String name, double value, String what) {
    if (!condition) {
      throw new InvalidInputException(name + " " + value + ": give a finite number, " + what);
    }
  }

  @Override
  public String toString() {
    return "AdamW[learning rate " + learningRate + (weightDecay == 0 ? "" : ", decay " + weightDecay)
        + (clipNorm == 0 ? "" : ", clip " + clipNorm) + "]";
  }
}
