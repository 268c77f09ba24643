package dev.fettle.internal;

import dev.fettle.Datum;
import dev.fettle.InvalidInputException;
import dev.fettle.Loss;

/**
 * A loss at one position and its derivative by the logprob of the target, in double precision. Formulas: see
 * {@link Loss}.
 */
public interface TokenLoss {
  /** With p the learner's logprob, q the sampler's, a the advantage (or, in a cross-entropy, the weight). */
  double value(double p, double q, double a);

  double derivative(double p, double q, double a);

  /** The formulas of a loss that is not custom. */
  static TokenLoss of(Loss loss) {
    if (loss instanceof Loss.CrossEntropy) {
      return new CrossEntropy();
    } else if (loss instanceof Loss.ImportanceSampling) {
      return new ImportanceSampling();
    } else if (loss instanceof Loss.Ppo ppo) {
      return new Ppo(ppo.low(), ppo.high());
    } else if (loss instanceof Loss.Cispo cispo) {
      return new Cispo(cispo.low(), cispo.high());
    } else if (loss instanceof Loss.Dro dro) {
      return new Dro(dro.beta());
    }
    throw new IllegalArgumentException("not token-wise: " + loss);
  }

  /** Whether a position takes part in a loss. */
  static boolean takesPart(Loss loss, Datum datum, int i) {
    return loss instanceof Loss.CrossEntropy ? datum.weights()[i] != 0
        : datum.advantages()[i] != 0 || datum.logprobs()[i] != 0;
  }

  /** Refuses a datum that lacks what the loss needs. */
  static void requireInputs(Loss loss, Datum datum, int index) {
    if (loss instanceof Loss.CrossEntropy && datum.isReinforcement()) {
      throw new InvalidInputException("data[" + index + "] has no weights, which cross-entropy needs: "
          + "make it with Datum.of or Datum.supervised");
    } else if (!(loss instanceof Loss.CrossEntropy) && !datum.isReinforcement()) {
      throw new InvalidInputException("data[" + index + "] has no logprobs and advantages, which " + loss
          + " needs: make it with Datum.reinforcement");
    }
  }

  /** -w p. */
  record CrossEntropy() implements TokenLoss {
    @Override
    public double value(double p, double q, double w) {
      return -w * p;
    }

    @Override
    public double derivative(double p, double q, double w) {
      return -w;
    }
  }

  /** -r a. */
  record ImportanceSampling() implements TokenLoss {
    @Override
    public double value(double p, double q, double a) {
      return -Math.exp(p - q) * a;
    }

    @Override
    public double derivative(double p, double q, double a) {
      return -Math.exp(p - q) * a;
    }
  }

  /** -min(r a, clamp(r) a). */
  record Ppo(double low, double high) implements TokenLoss {
    @Override
    public double value(double p, double q, double a) {
      double r = Math.exp(p - q);
      return -Math.min(r * a, clamp(r, low, high) * a);
    }

    @Override
    public double derivative(double p, double q, double a) {
      double r = Math.exp(p - q);
      return r * a <= clamp(r, low, high) * a ? -r * a : 0;
    }
  }

  /** -clamp(r) p a, no gradient through the clamped ratio. */
  record Cispo(double low, double high) implements TokenLoss {
    @Override
    public double value(double p, double q, double a) {
      return -clamp(Math.exp(p - q), low, high) * p * a;
    }

    @Override
    public double derivative(double p, double q, double a) {
      return -clamp(Math.exp(p - q), low, high) * a;
    }
  }

  /** -(p a - beta/2 (p - q)^2). */
  record Dro(double beta) implements TokenLoss {
    @Override
    public double value(double p, double q, double a) {
      return -(p * a - 0.5 * beta * (p - q) * (p - q));
    }

    @Override
    public double derivative(double p, double q, double a) {
      return -a + beta * (p - q);
    }
  }

  private static double clamp(double r, double low, double high) {
    return Math.max(low, Math.min(high, r));
  }
}
