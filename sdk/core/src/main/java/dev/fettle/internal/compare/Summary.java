package dev.fettle.internal.compare;

import dev.fettle.internal.FileErrors;
import dev.fettle.internal.checkpoint.AtomicFiles;
import dev.fettle.internal.compare.Significance.Sample;
import dev.fettle.recipes.ComparisonResult;
import dev.fettle.recipes.ComparisonResult.Pair;
import dev.fettle.recipes.ComparisonResult.Row;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Predicate;

/** From runs to what is told of them. */
public final class Summary {
  static final String REPORT = "report.md";

  private Summary() {}

  /** Writes {@code report.md} and the plots into the plan's directory, too. */
  public static ComparisonResult of(Plan plan, List<RunResult> outcomes) {
    List<Row> rows = new ArrayList<>();
    List<Sample> quality = new ArrayList<>();
    List<Sample> outside = new ArrayList<>();
    RunResult base = outcomes.get(0);
    add(base.method(), List.of(base), rows, quality, outside);
    for (Method method : plan.methods()) {
      add(method.name(), outcomes.stream().filter(o -> o.kind().equals("seed") && o.method().equals(method.name())).toList(),
          rows, quality, outside);
    }
    List<Pair> forgetting = plan.outside().isEmpty() ? List.of() : Significance.pairs(outside);
    List<Pair> task = Significance.pairs(quality);
    boolean items = quality.stream().allMatch(s -> s.items().length > 1);
    String markdown = Table.markdown(plan, rows, task, forgetting, items, Sweeps.of(plan, outcomes));
    ComparisonResult compared = new ComparisonResult(plan.metric(), plan.higherIsBetter(), rows,
        task, forgetting, markdown, plan.directory());
    try {
      AtomicFiles.writeText(plan.directory().resolve(REPORT), markdown);
      Plots.write(plan, compared, outcomes);
    } catch (IOException e) {
      throw FileErrors.unsaved(plan.directory().resolve("report.md"), e);
    }
    return compared;
  }

  static void add(String name, List<RunResult> runs, List<Row> rows, List<Sample> quality, List<Sample> outside) {
    Predicate<RunResult> diverged = RunResult::diverged;
    List<RunResult> good = runs.stream().filter(diverged.negate()).toList();
    double[] values = good.stream().mapToDouble(RunResult::quality).toArray();
    double[] losses = good.stream().mapToDouble(RunResult::outside).filter(Double::isFinite).toArray();
    quality.add(new Sample(name, values, items(good)));
    outside.add(new Sample(name, losses, new double[0]));
    RunResult first = runs.get(0);
    double seconds = runs.stream().mapToDouble(RunResult::seconds).sum();
    long tokens = runs.stream().mapToLong(RunResult::tokens).sum();
    rows.add(new Row(name, first.tuning(), first.rate(), boxed(values), boxed(losses), first.trained(),
        seconds / runs.size(), seconds == 0 ? 0 : tokens / seconds,
        runs.stream().mapToLong(RunResult::peakBytes).max().orElse(-1),
        runs.stream().mapToLong(RunResult::savedBytes).max().orElse(0), runs.size() - good.size()));
  }

  private static double[] items(List<RunResult> runs) {
    if (runs.isEmpty() || runs.stream().anyMatch(r -> r.items().length != runs.get(0).items().length)) {
      return new double[0];
    }
    double[] means = new double[runs.get(0).items().length];
    runs.forEach(run -> Arrays.setAll(means, i -> means[i] + run.items()[i] / runs.size()));
    return means;
  }

  private static List<Double> boxed(double[] values) {
    return Arrays.stream(values).boxed().toList();
  }
}
