package dev.fettle.examples;

import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.ToIntFunction;

/** Which stages fit into the time that is left, judged by what the units so far took. Not thread-safe. */
final class RankBudget {
  private final double seconds;
  private double work;
  private double spent;

  /** A budget of seconds, the greatest number for none. */
  RankBudget(double seconds) {
    this.seconds = seconds;
  }

  /** Notes what was done, in the stages' unit of work, and how long it took. */
  void done(double amount, double took) {
    work += amount;
    spent += took;
  }

  /** About how long an amount takes; 0 as long as nothing was done. */
  double estimate(double amount) {
    return work == 0 ? 0 : amount * spent / work;
  }

  /**
   * The stages to do: the important ones first, as long as what is left of them fits; those after the first that does
   * not fit may still, if they are short.
   *
   * @param open how many units of a stage are not done
   */
  Set<RankStage> affordable(List<RankStage> stages, double elapsed, ToIntFunction<RankStage> open) {
    Set<RankStage> chosen = new HashSet<>();
    double left = seconds - elapsed;
    for (RankStage stage : stages.stream().sorted(Comparator.comparingInt(RankStage::importance)).toList()) {
      double needed = estimate(stage.tokens() * open.applyAsInt(stage));
      if (stage.importance() == 0 || needed <= left) {
        chosen.add(stage);
        left -= needed;
      }
    }
    return chosen;
  }
}
