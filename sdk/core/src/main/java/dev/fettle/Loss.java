package dev.fettle;

import java.util.Objects;

/**
 * A loss, computed token by token and summed over all tokens of all data: no mean, no division by the batch size.
 * With {@code p} the logprob of a target, {@code q} its logprob under the sampler, {@code A} its advantage and
 * {@code r = exp(p - q)}; the formulas are those of the Tinker service.
 *
 * <p>Of a model with a mixture of experts, no loss that balances the load of experts is added, as in PEFT and transformers with
 * {@code output_router_logits} off; a {@code config.json} that sets it is rejected.
 */
public sealed interface Loss
    permits Loss.CrossEntropy, Loss.ImportanceSampling, Loss.Ppo, Loss.Cispo, Loss.Dro, Loss.Custom {

  /** {@code -sum(w p)} with the weights of the data. */
  static Loss crossEntropy() {
    return new CrossEntropy();
  }

  /** {@code -sum(r A)}. */
  static Loss importanceSampling() {
    return new ImportanceSampling();
  }

  /** {@link #ppo(double, double)} with the ratio clipped to 0.8 and 1.2. */
  static Loss ppo() {
    return ppo(0.8, 1.2);
  }

  /**
   * {@code -sum(min(r A, clamp(r, low, high) A))} (Schulman et al. 2017). The thresholds bound the ratio itself.
   *
   * @throws InvalidInputException unless {@code 0 <= low <= high}
   */
  static Loss ppo(double low, double high) {
    return new Ppo(low, high);
  }

  /** {@link #cispo(double, double)} with the ratio clipped to 0 and 4. */
  static Loss cispo() {
    return cispo(0, 4);
  }

  /**
   * {@code -sum(clamp(r, low, high) p A)} with no gradient through the clamped ratio.
   *
   * @throws InvalidInputException unless {@code 0 <= low <= high}
   */
  static Loss cispo(double low, double high) {
    return new Cispo(low, high);
  }

  /**
   * {@code -sum(p A - beta/2 (p - q)^2)}. Positions with neither advantage nor sampler logprob, the prompt's, take no
   * part.
   *
   * @throws InvalidInputException if beta is negative or not finite
   */
  static Loss dro(double beta) {
    return new Dro(beta);
  }

  /** A loss of the caller's own, with its derivative by the logprobs; it costs a forward pass more. */
  static Loss custom(CustomLoss loss) {
    return new Custom(loss);
  }

  /** See {@link #crossEntropy()}. */
  record CrossEntropy() implements Loss {}

  /** See {@link #importanceSampling()}. */
  record ImportanceSampling() implements Loss {}

  /** See {@link #ppo(double, double)}. */
  record Ppo(double low, double high) implements Loss {
    public Ppo {
      thresholds(low, high);
    }
  }

  /** See {@link #cispo(double, double)}. */
  record Cispo(double low, double high) implements Loss {
    public Cispo {
      thresholds(low, high);
    }
  }

  /** See {@link #dro(double)}. */
  record Dro(double beta) implements Loss {
    public Dro {
      if (!(beta >= 0 && beta < Double.POSITIVE_INFINITY)) {
        throw new InvalidInputException("beta " + beta + ": give a finite number, at least 0");
      }
    }
  }

  /** See {@link #custom(CustomLoss)}. */
  record Custom(CustomLoss loss) implements Loss {
    public Custom {
      Objects.requireNonNull(loss, "loss");
    }
  }

  private static void thresholds(double low, double high) {
    if (!(low >= 0 && low <= high && high < Double.POSITIVE_INFINITY)) {
      throw new InvalidInputException("clip thresholds " + low + ", " + high + ": give 0 <= low <= high");
    }
  }
}
