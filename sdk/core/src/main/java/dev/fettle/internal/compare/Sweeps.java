package dev.fettle.internal.compare;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** A sweep's losses by rate, in ascending order; NaN where it diverged. */
record Sweeps(String method, double[] rates, double[] losses) {
  static List<Sweeps> of(Plan plan, List<RunResult> outcomes) {
    List<Sweeps> all = new ArrayList<>();
    for (Method method : plan.methods()) {
      List<RunResult> runs = outcomes.stream().filter(o -> o.kind().equals("sweep") && o.method().equals(method.name()))
          .sorted(Comparator.comparingDouble(RunResult::rate)).toList();
      if (!runs.isEmpty()) {
        all.add(new Sweeps(method.name(), runs.stream().mapToDouble(RunResult::rate).toArray(),
            runs.stream().mapToDouble(RunResult::validation).toArray()));
      }
    }
    return all;
  }

  /** Whether the best rate is the first or last that was tried. */
  boolean endsAtEdge() {
    int best = 0;
    for (int i = 1; i < losses.length; i++) {
      best = !(losses[best] <= losses[i]) ? i : best;
    }
    return best == 0 || best == losses.length - 1;
  }
}
