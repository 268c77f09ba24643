package dev.fettle.internal.compare;

import dev.fettle.InvalidInputException;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.DoubleUnaryOperator;

/** Looks for a learning rate. */
final class Sweep {
  private static final int FURTHER = 4;

  private Sweep() {}

  /** The rate with the least loss. Goes on beyond the given ones where the best is the first or last of them. */
  static double best(Method method, DoubleUnaryOperator loss) {
    if (method.sweepRuns() == 0) {
      return method.rates().get(0);
    }
    TreeMap<Double, Double> tried = new TreeMap<>();
    method.rates().forEach(rate -> tried.put(rate, loss.applyAsDouble(rate)));
    double ratio = method.rates().get(1) / method.rates().get(0);
    for (int i = 0; i < FURTHER; i++) {
      double best = least(tried);
      if (best == tried.firstKey() || Double.isNaN(tried.get(best))) {
        double rate = Method.rounded(tried.firstKey() / ratio);
        tried.put(rate, loss.applyAsDouble(rate));
      } else if (best == tried.lastKey()) {
        double rate = Method.rounded(best * ratio);
        tried.put(rate, loss.applyAsDouble(rate));
      } else {
        break;
      }
    }
    double best = least(tried);
    if (Double.isNaN(tried.get(best))) {
      throw new InvalidInputException("method " + method.name() + ": the loss is not finite with any learning rate from "
          + tried.firstKey() + " to " + tried.lastKey() + ": give lower ones with learningRates");
    }
    return best;
  }

  private static double least(Map<Double, Double> tried) {
    return tried.entrySet().stream()
        .min(java.util.Comparator.comparingDouble(e -> Double.isNaN(e.getValue()) ? Double.MAX_VALUE : e.getValue()))
        .orElseThrow().getKey();
  }
}
