package dev.fettle.internal.ranking;

/** Measures of a whole ranking in which a document is relevant or not. */
final class RankMeasures {
  /** The least value in a geometric mean: half of what four digits can show, and more than nothing. */
  static final double LEAST = 0.00001;

  private static final double INFERRED_EPSILON = 0.00001;

  private RankMeasures() {}

  static double averagePrecision(Judged judged) {
    return averagePrecision(judged, Long.MAX_VALUE);
  }

  static double averagePrecision(Judged judged, long first) {
    double sum = 0;
    int found = 0;
    for (int i = 0; i < Math.min(first, judged.retrieved()); i++) {
      if (judged.relevantAt(i)) {
        found++;
        sum += (double) found / (i + 1);
      }
    }
    return judged.relevant() == 0 ? 0 : sum / judged.relevant();
  }

  static double reciprocalRank(Judged judged) {
    return reciprocalRank(judged, Long.MAX_VALUE);
  }

  static double reciprocalRank(Judged judged, long first) {
    for (int i = 0; i < Math.min(first, judged.retrieved()); i++) {
      if (judged.relevantAt(i)) {
        return 1.0 / (i + 1);
      }
    }
    return 0;
  }

  /** Precision at as many documents as are relevant. */
  static double precisionAtRelevant(Judged judged) {
    return judged.relevant() == 0 ? 0 : (double) judged.foundIn(judged.relevant()) / judged.relevant();
  }

  /** Buckley and Voorhees, SIGIR 2004, as trec_eval has it: judged documents alone count. */
  static double binaryPreference(Judged judged) {
    int irrelevant = 0;
    int most = Math.min(judged.judgedIrrelevant(), judged.relevant());
    double sum = 0;
    for (int grade : judged.grades()) {
      if (grade < 0) {
        continue;
      }
      if (grade < judged.level()) {
        irrelevant++;
      } else {
        sum += irrelevant == 0 ? 1 : 1 - (double) Math.min(irrelevant, judged.relevant()) / most;
      }
    }
    return judged.relevant() == 0 ? sum : sum / judged.relevant();
  }

  /** Yilmaz and Aslam, CIKM 2006: average precision where only a sample of the pool was judged. */
  static double inferredAveragePrecision(Judged judged) {
    double sum = 0;
    int irrelevant = 0;
    int relevant = 0;
    int unknown = 0;
    for (int i = 0; i < judged.retrieved(); i++) {
      int grade = judged.grades()[i];
      if (grade == Judged.UNKNOWN) {
        unknown++;
      } else if (grade >= 0 && grade < judged.level()) {
        irrelevant++;
      } else if (grade >= 0) {
        sum += i == 0 ? 1 : 1.0 / (i + 1) + i / (i + 1.0) * ((double) (relevant + irrelevant + unknown) / i)
            * ((relevant + INFERRED_EPSILON) / (relevant + irrelevant + 2 * INFERRED_EPSILON));
        relevant++;
      }
    }
    return judged.relevant() == 0 ? sum : sum / judged.relevant();
  }

  static double logarithm(double value) {
    return Math.log(Math.max(value, LEAST));
  }

  /** The share of a user's attention that falls on unjudged documents, at persistence 0.9. */
  static double attentionResidual(Judged judged) {
    double sum = 0;
    double attention = 1;
    boolean any = false;
    for (int grade : judged.grades()) {
      if (grade < 0) {
        any = true;
        sum += attention;
      }
      attention *= 0.9;
    }
    return any ? attention + (1 - 0.9) * sum : 0;
  }

  /** Each relevant document by the logarithm of how many others came before it. */
  static double binaryGain(Judged judged) {
    int found = 0;
    double sum = 0;
    for (int i = 0; i < judged.retrieved(); i++) {
      if (judged.relevantAt(i)) {
        found++;
        sum += 1 / Gains.log2(3 + i - found);
      }
    }
    return found == 0 ? 0 : sum / judged.relevant();
  }
}
