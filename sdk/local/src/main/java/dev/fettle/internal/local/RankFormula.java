package dev.fettle.internal.local;

import dev.fettle.InvalidInputException;
import dev.fettle.NumericException;
import dev.fettle.ranking.RankLoss;
import dev.fettle.ranking.Ranked;
import java.util.List;

/**
 * A loss over scores and its derivative by each of them, in double precision. Formulas: see {@link RankLoss}. Scores are
 * a matrix of queries by the texts of all queries; but for the contrastive loss only a query's own texts count.
 */
final class RankFormula {
  private final RankLoss loss;
  private final List<Ranked> batch;
  private final int[] starts;
  private final float[] scores;
  private final float[] derivative;
  private double sum;

  private RankFormula(RankLoss loss, List<Ranked> batch, float[] scores) {
    this.loss = loss;
    this.batch = batch;
    this.starts = starts(batch);
    this.scores = scores;
    this.derivative = new float[scores.length];
  }

  /**
   * What came out.
   *
   * @param derivative by each score, as the scores are laid out
   * @param accuracy the share of queries whose first text scores best
   */
  record Value(double loss, float[] derivative, double accuracy) {}

  /** The first text of each query among all texts, and the number of all. */
  static int[] starts(List<Ranked> batch) {
    int[] out = new int[batch.size() + 1];
    for (int i = 0; i < batch.size(); i++) {
      out[i + 1] = out[i] + batch.get(i).texts().size();
    }
    return out;
  }

  /** Refuses examples that lack what the loss needs. */
  static void require(RankLoss loss, List<Ranked> batch, boolean encoder) {
    boolean contrastive = loss instanceof RankLoss.Contrastive;
    if (batch.isEmpty()) {
      throw new InvalidInputException("an empty batch: give at least one query with its texts");
    }
    if (contrastive && !encoder) {
      throw new InvalidInputException(loss + " compares vectors of texts, which a causal language model does not give; take "
          + "pointwise, rankNet or listNet");
    }
    boolean any = contrastive && (batch.size() > 1 || batch.get(0).texts().size() > 1);
    for (int i = 0; i < batch.size() && !contrastive; i++) {
      List<Double> grades = batch.get(i).grades();
      if (grades.isEmpty()) {
        throw new InvalidInputException("batch[" + i + "] has no grades, which " + loss + " needs: make it with Ranked.graded");
      }
      for (double g : grades) {
        if (loss instanceof RankLoss.Pointwise && !(g >= 0 && g <= 1)) {
          throw new InvalidInputException("batch[" + i + "] has the grade " + g + ": " + loss + " needs 0 to 1");
        }
      }
      any |= loss instanceof RankLoss.Pointwise
          || (loss instanceof RankLoss.RankNet ? grades.stream().distinct().count() > 1 : grades.size() > 1);
    }
    if (!any) {
      throw new InvalidInputException("nothing to learn from: no query of the batch has texts to tell apart");
    }
  }

  static Value of(RankLoss loss, List<Ranked> batch, float[] scores) {
    RankFormula formula = new RankFormula(loss, batch, scores);
    if (loss instanceof RankLoss.Contrastive contrastive) {
      formula.contrastive(contrastive);
    } else if (loss instanceof RankLoss.Margin margin) {
      formula.margin(margin.scale());
    } else if (loss instanceof RankLoss.Pointwise) {
      formula.pointwise();
    } else if (loss instanceof RankLoss.RankNet net) {
      formula.rankNet(net.temperature());
    } else if (loss instanceof RankLoss.ListNet net) {
      formula.listNet(net.temperature());
    }
    if (!Double.isFinite(formula.sum)) {
      throw new NumericException("the loss " + loss + " is " + formula.sum + "; the gradient is as it was before this pass");
    }
    return new Value(formula.sum, formula.derivative, formula.accuracy());
  }

  private int at(int query, int text) {
    return query * starts[batch.size()] + text;
  }

  private double own(int query, int text) {
    return scores[at(query, starts[query] + text)];
  }

  private void add(int query, int text, double d) {
    derivative[at(query, starts[query] + text)] += (float) d;
  }

  private double grade(int query, int text) {
    return batch.get(query).grades().get(text);
  }

  private int size(int query) {
    return batch.get(query).texts().size();
  }

  private void contrastive(RankLoss.Contrastive c) {
    int m = batch.size();
    double share = (c.isSymmetric() ? 0.5 : 1) / m;
    int[] all = new int[starts[m]];
    for (int i = 0; i < m; i++) {
      int n = 0;
      for (int j = 0; j < m; j++) {
        for (int k = 0; k < size(j); k++) {
          boolean target = j == i && k == 0;
          if (target || !belongs(i, j, k)) {
            all[n++] = at(i, starts[j] + k);
          }
        }
      }
      sum += share * crossEntropy(all, n, at(i, starts[i]), c.temperature(), share);
    }
    for (int i = 0; i < m && c.isSymmetric(); i++) {
      int n = 0;
      for (int j = 0; j < m; j++) {
        if (j == i || !belongs(j, i, 0)) {
          all[n++] = at(j, starts[i]);
        }
      }
      sum += share * crossEntropy(all, n, at(i, starts[i]), c.temperature(), share);
    }
  }

  /** Whether a text belongs to a query though another query names it: the same text, or the same query. */
  private boolean belongs(int query, int other, int text) {
    Ranked own = batch.get(query);
    Ranked theirs = batch.get(other);
    return own.texts().get(0).equals(theirs.texts().get(text)) || text == 0 && own.query().equals(theirs.query());
  }

  private double crossEntropy(int[] places, int n, int target, double temperature, double share) {
    double max = Double.NEGATIVE_INFINITY;
    for (int i = 0; i < n; i++) {
      max = Math.max(max, scores[places[i]] / temperature);
    }
    double total = 0;
    for (int i = 0; i < n; i++) {
      total += Math.exp(scores[places[i]] / temperature - max);
    }
    for (int i = 0; i < n; i++) {
      double p = Math.exp(scores[places[i]] / temperature - max) / total;
      derivative[places[i]] += (float) (share * (p - (places[i] == target ? 1 : 0)) / temperature);
    }
    return Math.log(total) + max - scores[target] / temperature;
  }

  private void margin(double scale) {
    double n = starts[batch.size()] - batch.size();
    for (int i = 0; i < batch.size(); i++) {
      for (int k = 1; k < size(i); k++) {
        double error = scale * (own(i, 0) - own(i, k)) - (grade(i, 0) - grade(i, k));
        sum += error * error / n;
        add(i, 0, 2 * scale * error / n);
        add(i, k, -2 * scale * error / n);
      }
    }
  }

  private void pointwise() {
    double n = starts[batch.size()];
    for (int i = 0; i < batch.size(); i++) {
      for (int k = 0; k < size(i); k++) {
        double s = own(i, k);
        sum += (softplus(s) - grade(i, k) * s) / n;
        add(i, k, (sigmoid(s) - grade(i, k)) / n);
      }
    }
  }

  private void rankNet(double temperature) {
    long pairs = 0;
    for (int i = 0; i < batch.size(); i++) {
      for (int a = 0; a < size(i); a++) {
        for (int b = 0; b < size(i); b++) {
          pairs += grade(i, a) > grade(i, b) ? 1 : 0;
        }
      }
    }
    for (int i = 0; i < batch.size(); i++) {
      for (int a = 0; a < size(i); a++) {
        for (int b = 0; b < size(i); b++) {
          if (grade(i, a) > grade(i, b)) {
            double z = (own(i, b) - own(i, a)) / temperature;
            double d = sigmoid(z) / temperature / pairs;
            sum += softplus(z) / pairs;
            add(i, a, -d);
            add(i, b, d);
          }
        }
      }
    }
  }

  private void listNet(double temperature) {
    double m = batch.size();
    for (int i = 0; i < batch.size(); i++) {
      double[] s = new double[size(i)];
      double[] g = new double[size(i)];
      for (int k = 0; k < s.length; k++) {
        s[k] = own(i, k) / temperature;
        g[k] = grade(i, k);
      }
      double[] p = logSoftmax(s);
      double[] target = logSoftmax(g);
      for (int k = 0; k < s.length; k++) {
        sum -= Math.exp(target[k]) * p[k] / m;
        add(i, k, (Math.exp(p[k]) - Math.exp(target[k])) / temperature / m);
      }
    }
  }

  private double accuracy() {
    boolean all = loss instanceof RankLoss.Contrastive;
    double right = 0;
    for (int i = 0; i < batch.size(); i++) {
      boolean best = true;
      for (int j = all ? 0 : i; j < (all ? batch.size() : i + 1); j++) {
        for (int k = 0; k < size(j); k++) {
          best &= scores[at(i, starts[j] + k)] <= own(i, 0) || all && belongs(i, j, k);
        }
      }
      right += best ? 1 : 0;
    }
    return right / batch.size();
  }

  private static double[] logSoftmax(double[] x) {
    double max = Double.NEGATIVE_INFINITY;
    for (double v : x) {
      max = Math.max(max, v);
    }
    double total = 0;
    for (double v : x) {
      total += Math.exp(v - max);
    }
    double[] out = new double[x.length];
    for (int i = 0; i < x.length; i++) {
      out[i] = x[i] - max - Math.log(total);
    }
    return out;
  }

  private static double sigmoid(double x) {
    return 1 / (1 + Math.exp(-x));
  }

  private static double softplus(double x) {
    return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
  }
}
