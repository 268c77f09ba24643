package dev.fettle.internal.compare;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** What is done and what is left, for the line that tells of it. */
final class RunProgress {
  private final Plan plan;
  private final ResultsFile results;
  private final List<RunResult> done = new ArrayList<>();

  RunProgress(Plan plan, ResultsFile results) {
    this.plan = plan;
    this.results = results;
  }

  void done(RunResult outcome) {
    done.add(outcome);
  }

  /** What runs now and, once a run tells how long one takes, how long all will. */
  String line(String kind, Method method, double rate, long seed) {
    double left = plan.methods().stream().mapToDouble(m -> {
      int open = open(m, kind, method);
      return open == 0 ? 0 : open * results.wall(m.name());
    }).sum();
    String time = Double.isNaN(left) ? "" : ", all in " + (left < 90 ? Math.round(left) + " s"
        : Math.round(left / 60) + " min");
    int all = done.size() + plan.methods().stream().mapToInt(m -> open(m, kind, method)).sum();
    return String.format(Locale.ROOT, "run %d/%d%s: %s, rate %s, %s", done.size() + 1, all, time, method.name(), rate,
        kind.equals("sweep") ? "sweep" : "seed " + seed);
  }

  /** The runs of a method that are not made; a sweep that goes on beyond its first rates has one more each time. */
  private int open(Method method, String kind, Method current) {
    int sweep = Math.max(0, method.sweepRuns() - made(method, "sweep"));
    int further = method == current && kind.equals("sweep") ? Math.max(1, sweep) : sweep;
    return further + plan.seeds() - made(method, "seed");
  }

  private int made(Method method, String kind) {
    return (int) done.stream().filter(o -> o.method().equals(method.name()) && o.kind().equals(kind)).count();
  }
}
