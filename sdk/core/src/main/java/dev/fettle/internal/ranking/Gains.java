package dev.fettle.internal.ranking;

import java.util.ArrayList;
import java.util.List;

/** Discounted gain: each document's gain over the logarithm of its rank plus one. */
final class Gains {
  /** log2 of whole numbers, as every ranking needs them. */
  private static final double[] LOGARITHMS = new double[1 << 12];

  static {
    for (int i = 1; i < LOGARITHMS.length; i++) {
      LOGARITHMS[i] = exact(i);
    }
  }

  private Gains() {}

  /** The logarithm to base 2; exact for powers of 2, as C's is. */
  static double log2(double x) {
    return x == (int) x && x > 0 && x < LOGARITHMS.length ? LOGARITHMS[(int) x] : exact(x);
  }

  private static double exact(double x) {
    int exponent = Math.getExponent(x);
    return x == Math.scalb(1.0, exponent) ? exponent : Math.log(x) / Math.log(2);
  }

  /**
   * nDCG of the first documents. Gains are grades, or two to their power less one; the ideal ranking is that of all
   * judged documents.
   */
  static double normalised(Judged judged, long first, boolean exponential) {
    double sum = 0;
    for (int i = 0; i < Math.min(first, judged.retrieved()); i++) {
      int grade = judged.grades()[i];
      if (grade > 0) {
        sum += gain(grade, exponential) / log2(i + 2);
      }
    }
    double ideal = 0;
    int rank = 0;
    for (int grade = judged.levels().length - 1; grade > 0; grade--) {
      for (int i = 0; i < judged.levels()[grade] && rank < first; i++, rank++) {
        ideal += gain(grade, exponential) / log2(rank + 2);
      }
    }
    return ideal > 0 ? sum / ideal : sum;
  }

  private static double gain(int grade, boolean exponential) {
    return exponential ? Math.pow(2, grade) - 1 : grade;
  }

  /** A grade, how much it is worth and how many judged documents have it. */
  record Level(int grade, double gain, int count) {}

  /** The grades of a query in ascending order of what they are worth. */
  static List<Level> levels(Judged judged, List<Parameters.Gain> given) {
    List<Level> levels = new ArrayList<>();
    for (Parameters.Gain gain : given) {
      if (gain.grade().matches("[+-]?\\d+")) {
        int grade = Integer.parseInt(gain.grade());
        levels.add(new Level(grade, gain.gain(),
            0 <= grade && grade < judged.levels().length ? judged.levels()[grade] : 0));
      }
    }
    for (int grade = 0; grade < judged.levels().length; grade++) {
      int g = grade;
      if (levels.stream().noneMatch(level -> level.grade() == g)) {
        levels.add(new Level(grade, grade, judged.levels()[grade]));
      }
    }
    return sorted(levels);
  }

  /**
   * C's stable merge sort with trec_eval's comparison, which takes gains that differ by less than 1 for equal. Another
   * way of sorting would give another order of such gains, and other values.
   */
  private static List<Level> sorted(List<Level> levels) {
    if (levels.size() < 2) {
      return levels;
    }
    List<Level> left = sorted(levels.subList(0, levels.size() / 2));
    List<Level> right = sorted(levels.subList(levels.size() / 2, levels.size()));
    List<Level> merged = new ArrayList<>();
    int i = 0;
    int j = 0;
    while (i < left.size() || j < right.size()) {
      boolean fromLeft = j == right.size()
          || i < left.size() && (int) (left.get(i).gain() - right.get(j).gain()) <= 0;
      merged.add(fromLeft ? left.get(i++) : right.get(j++));
    }
    return merged;
  }

  static double of(int grade, List<Level> levels) {
    for (Level level : levels) {
      if (level.grade() == grade) {
        return level.gain();
      }
    }
    return 0;
  }

  /** The gains of the ideal ranking, down to the first that is not positive; none if the last level's is not. */
  static double[] ideal(List<Level> levels) {
    List<Double> gains = new ArrayList<>();
    if (levels.isEmpty() || !(levels.get(levels.size() - 1).gain() > 0)) {
      return new double[0];
    }
    for (int i = levels.size() - 1; i >= 0; i--) {
      Level level = levels.get(i);
      if (level.count() > 0 && !(level.gain() > 0)) {
        break;
      }
      for (int n = 0; n < level.count(); n++) {
        gains.add(level.gain());
      }
    }
    return gains.stream().mapToDouble(g -> g).toArray();
  }
}
