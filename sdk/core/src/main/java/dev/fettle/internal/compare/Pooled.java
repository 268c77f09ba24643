package dev.fettle.internal.compare;

import dev.fettle.internal.compare.Significance.Sample;
import dev.fettle.recipes.ComparisonResult.Pair;
import dev.fettle.recipes.ComparisonResult.Row;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * What comparisons of the same methods found together, each on items of its own, as the folds of a cross-validation are:
 * the items of all are tested as one.
 *
 * @param rows one a method, the base model first; a mean over the items of all parts
 * @param pairs what is known of each pair of methods, tested as {@link dev.fettle.recipes.Comparison} tests them
 * @param items how many items there are
 * @param markdown table and tests in words
 */
public record Pooled(List<Row> rows, List<Pair> pairs, int items, String markdown) {

  /**
   * Reads finished comparisons.
   *
   * @param parts the directories of each part, which has one for all methods or one for each
   * @param metric what was measured
   * @param higher whether more of it is better
   */
  public static Pooled of(List<List<Path>> parts, String metric, boolean higher) {
    List<RunResult> all = together(parts);
    List<Row> rows = new ArrayList<>();
    List<Sample> quality = new ArrayList<>();
    for (String method : all.stream().map(RunResult::method).distinct().toList()) {
      Summary.add(method, all.stream().filter(r -> r.method().equals(method)).toList(), rows, quality, new ArrayList<>());
    }
    List<Pair> pairs = Significance.pairs(quality);
    int items = all.get(0).items().length;
    StringBuilder text = new StringBuilder(String.format(Locale.ROOT, "%,d items%s. `%s`: %s is better, mean ± standard deviation over "
        + "seeds.%n%n", items, parts.size() == 1 ? "" : " in " + parts.size() + " parts, each judged by runs that did not see its part",
        metric, higher ? "higher" : "lower"));
    text.append("| method | trained | learning rate | ").append(metric).append(" | steps | seconds | tokens/s | peak memory | saved |\n")
        .append("|---".repeat(9)).append("|\n");
    for (Row row : rows) {
      String line = Table.line(row, rows.get(0), false);
      int steps = all.stream().filter(r -> r.method().equals(row.method())).mapToInt(r -> r.losses().length).max().orElse(0);
      String[] cells = line.split(" \\| ", 5);
      text.append(String.join(" | ", cells[0], cells[1], cells[2], cells[3], row.trained() == 0 ? "" : String.valueOf(steps),
          cells[4])).append('\n');
    }
    text.append('\n').append(Table.tests(true)).append("\n\n")
        .append(Table.verdict("On the task (" + metric + ")", rows, pairs, higher, rows.stream().map(Row::meanQuality).toList()));
    return new Pooled(List.copyOf(rows), pairs, items, text.toString());
  }

  /** Each method's runs with each seed as one, with the items of all parts in turn. */
  private static List<RunResult> together(List<List<Path>> parts) {
    Map<String, List<RunResult>> found = new LinkedHashMap<>();
    for (List<Path> part : parts) {
      Map<String, RunResult> once = new LinkedHashMap<>();
      part.stream().flatMap(directory -> ResultsFile.read(directory).stream()).filter(r -> !r.kind().equals("sweep"))
          .forEach(r -> once.putIfAbsent(r.method() + " " + r.seed(), r));
      once.forEach((name, run) -> found.computeIfAbsent(name, n -> new ArrayList<>()).add(run));
    }
    return found.values().stream().map(Pooled::together).toList();
  }

  private static RunResult together(Iterable<RunResult> runs) {
    List<RunResult> all = new ArrayList<>();
    runs.forEach(all::add);
    RunResult first = all.get(0);
    double[] items = all.stream().anyMatch(RunResult::diverged) ? new double[0]
        : all.stream().flatMapToDouble(r -> Arrays.stream(r.items())).toArray();
    return new RunResult(first.kind(), first.method(), first.tuning(), first.rate(), first.seed(), Double.NaN, items, Double.NaN,
        first.losses(), all.stream().mapToDouble(RunResult::seconds).average().orElse(0),
        all.stream().mapToDouble(RunResult::wall).sum(), all.stream().mapToLong(RunResult::tokens).sum() / all.size(), first.trained(),
        all.stream().mapToLong(RunResult::peakBytes).max().orElse(-1), first.savedBytes());
  }
}
