package dev.fettle.internal.compare;

import java.util.Locale;

/** What is done and what is left, for the line that tells of it. */
final class Agenda {
  private final Plan plan;
  private final ResultsFile results;
  private int done;

  Agenda(Plan plan, ResultsFile results) {
    this.plan = plan;
    this.results = results;
  }

  void done(Outcome outcome) {
    done++;
  }

  /** What runs now and, once a run tells how long one takes, how long all will. */
  String line(String kind, Method method, double rate, long seed) {
    double left = left(method);
    String time = Double.isNaN(left) ? "" : ", all in " + (left < 90 ? Math.round(left) + " s"
        : Math.round(left / 60) + " min");
    return String.format(Locale.ROOT, "run %d/%d%s: %s, rate %s, %s", done + 1, Math.max(done + 1, total()), time,
        method.name(), rate, kind.equals("sweep") ? "sweep" : "seed " + seed);
  }

  private int total() {
    return plan.methods().stream().mapToInt(m -> m.rates().size() + plan.seeds()).sum();
  }

  private double left(Method current) {
    int position = done;
    double seconds = 0;
    for (Method method : plan.methods()) {
      int runs = method.rates().size() + plan.seeds();
      int open = Math.max(method == current ? 1 : 0, Math.min(runs, runs - position));
      position = Math.max(0, position - runs);
      seconds += open == 0 ? 0 : open * results.wall(method.name());
    }
    return seconds;
  }
}
