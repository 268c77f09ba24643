package dev.fettle.internal.compare;

import dev.fettle.Full;
import dev.fettle.Hybrid;
import dev.fettle.InvalidInputException;
import dev.fettle.Lora;
import dev.fettle.ParameterGroup;
import dev.fettle.Tuning;
import java.math.BigDecimal;
import java.math.MathContext;
import java.util.Arrays;
import java.util.List;

/**
 * A way of tuning that is compared.
 *
 * @param rates the learning rates that its sweep begins with, ascending
 */
public record Method(String name, Tuning tuning, List<Double> rates) {
  private static final MathContext THREE_DIGITS = new MathContext(3);

  /** A method whose rates are rounded to three digits. */
  public static Method of(String name, Tuning tuning, double... rates) {
    return new Method(name, tuning, Arrays.stream(rates).map(Method::rounded).boxed().toList());
  }

  /** How many runs its sweep begins with: a single rate needs none. */
  int sweepRuns() {
    return rates.size() == 1 ? 0 : rates.size();
  }

  static double rounded(double rate) {
    return new BigDecimal(rate).round(THREE_DIGITS).doubleValue();
  }

  /** The tuning with a seed for what starts at random. */
  Tuning seeded(long seed) {
    if (tuning instanceof Lora lora) {
      return lora.seed(seed);
    }
    if (tuning instanceof Hybrid hybrid) {
      Hybrid seeded = hybrid.lora().seed(seed).plus(hybrid.parts().get(0));
      for (Full part : hybrid.parts().subList(1, hybrid.parts().size())) {
        seeded = seeded.plus(part);
      }
      return seeded;
    }
    return tuning;
  }

  /** Whether what is saved is an adapter, rather than the whole model. */
  boolean isAdapter() {
    return tuning instanceof Lora;
  }

  /** All of the tuning in words: {@code toString} is cut at a line. */
  String description() {
    return describe(tuning);
  }

  private static String describe(Tuning tuning) {
    if (tuning instanceof Hybrid hybrid) {
      StringBuilder all = new StringBuilder(describe(hybrid.lora()));
      hybrid.parts().forEach(part -> all.append(" + ").append(describe(part)));
      return all.toString();
    }
    if (tuning instanceof Full full) {
      return "full " + (full.modules().isEmpty() ? "all" : full.modules().toString()) + tail(full.rate());
    }
    Lora lora = (Lora) tuning;
    return "LoRA " + lora.source().map(path -> "from " + path + " ").orElse("") + "rank " + lora.rank() + " alpha "
        + lora.alpha() + (lora.isRankStabilized() ? " rank-stabilized" : "") + (lora.dropout() == 0 ? "" : " dropout "
        + lora.dropout()) + " on " + lora.modules() + (lora.rankPattern().isEmpty() ? "" : " ranks " + lora.rankPattern())
        + (lora.alphaPattern().isEmpty() ? "" : " alphas " + lora.alphaPattern()) + (lora.isDora() ? " DoRA" : "")
        + (lora.isPissa() ? " PiSSA" : "") + (lora.hasBias() ? " bias" : "") + (lora.learningRateRatio() == 1 ? ""
        : " B x " + lora.learningRateRatio()) + tail(lora.rate());
  }

  private static String tail(ParameterGroup rate) {
    String text = rate.toString();
    return text.isEmpty() ? "" : " (" + text + ")";
  }

  /** Refuses a tuning on which no sweep would have an effect. */
  public static void requireFreeRate(String name, Tuning tuning) {
    boolean free = tuning instanceof Lora lora && lora.rate().learningRate().isEmpty()
        || tuning instanceof Full full && full.rate().learningRate().isEmpty()
        || tuning instanceof Hybrid hybrid && (hybrid.lora().rate().learningRate().isEmpty()
            || hybrid.parts().stream().anyMatch(part -> part.rate().learningRate().isEmpty()));
    if (!free) {
      throw new InvalidInputException("method " + name + " has a fixed learning rate, and the sweep would change nothing: "
          + "use learningRateFactor, or learningRates(\"" + name + "\", rate) of the comparison");
    }
  }
}
