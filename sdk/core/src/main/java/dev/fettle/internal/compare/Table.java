package dev.fettle.internal.compare;

import dev.fettle.internal.Gibibytes;
import dev.fettle.recipes.ComparisonResult.Pair;
import dev.fettle.recipes.ComparisonResult.Row;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/** The results as Markdown. */
final class Table {
  private Table() {}

  static String markdown(Plan plan, List<Row> rows, List<Pair> quality, List<Pair> forgetting, boolean items,
      List<Sweeps> sweeps) {
    boolean outside = plan.outside().isPresent();
    StringBuilder text = new StringBuilder();
    text.append(String.format(Locale.ROOT, "%s in %s, %d steps a run, %d seeds a method. `%s`: %s is better, mean ± standard "
        + "deviation over seeds.%n%n", plan.model().name(), String.valueOf(plan.model().dtype()).toLowerCase(Locale.ROOT),
        plan.steps(), plan.seeds(), plan.metric(), plan.higherIsBetter() ? "higher" : "lower"));
    text.append("| method | trained | learning rate | ").append(plan.metric()).append(outside ? " | loss outside | forgotten" : "")
        .append(" | seconds | tokens/s | peak memory | saved |\n|---|---|---|---|").append(outside ? "---|---|" : "")
        .append("---|---|---|---|\n");
    Row base = rows.get(0);
    for (Row row : rows) {
      text.append(line(row, base, outside)).append('\n');
    }
    text.append('\n').append(tests(items)).append("\n\n");
    text.append(verdict("On the task (" + plan.metric() + ")", rows, quality, plan.higherIsBetter(),
        rows.stream().map(Row::meanQuality).toList()));
    if (outside) {
      text.append('\n').append(verdict("Outside the task (loss, lower is better)", rows, forgetting, false,
          rows.stream().map(Row::meanOutside).toList()));
    }
    sweeps.stream().filter(s -> s.rates().length > 1 && s.endsAtEdge()).forEach(s -> text.append("\nThe best learning rate "
        + "of ").append(s.method()).append(" is the last that was tried on that side: a better one may lie beyond.\n"));
    rows.stream().filter(r -> r.diverged() > 0).forEach(r -> text.append(String.format(Locale.ROOT,
        "%n%s diverged with %d of %d seeds; its figures are those of the others.%n", r.method(), r.diverged(), plan.seeds())));
    text.append('\n').append(rates(plan)).append(" Seconds are those of a run's training steps. Peak memory is the whole "
        + "process's while training: the frozen model, Java and what earlier runs left included. Saved is the adapter, or "
        + "with trained weights the whole model.\n");
    return text.toString();
  }

  /** A rate that was given alone was not sought. */
  private static String rates(Plan plan) {
    List<String> given = plan.methods().stream().filter(m -> m.rates().size() == 1).map(Method::name).toList();
    String sought = "is the best of its own sweep by the validation loss, with a seed that no run has.";
    return given.isEmpty() ? "The learning rate of each method " + sought
        : given.size() == plan.methods().size() ? "The learning rates were given: no sweep was made."
        : "The learning rate of " + String.join(", ", given) + " was given; that of each other method " + sought;
  }

  static String line(Row row, Row base, boolean outside) {
    boolean isBase = row.method().equals(NamedMethods.BASE);
    List<String> cells = new ArrayList<>();
    cells.add(row.method());
    cells.add(isBase ? "0" : String.format(Locale.ROOT, "%,d", row.trained()));
    cells.add(isBase ? "" : String.valueOf(row.learningRate()));
    cells.add(spread(row.quality()));
    if (outside) {
      cells.add(spread(row.outside()));
      cells.add(isBase ? "" : String.format(Locale.ROOT, "%+.4f", row.meanOutside() - base.meanOutside()));
    }
    cells.add(isBase ? "" : String.format(Locale.ROOT, "%.1f", row.seconds()));
    cells.add(isBase ? "" : String.format(Locale.ROOT, "%,.0f", row.tokensPerSecond()));
    cells.add(isBase || row.peakBytes() < 0 ? "" : Gibibytes.of(row.peakBytes()) + " GiB");
    cells.add(isBase ? "" : size(row.savedBytes()));
    return "| " + String.join(" | ", cells) + " |";
  }

  private static String spread(List<Double> values) {
    double[] all = values.stream().mapToDouble(v -> v).toArray();
    return all.length == 0 ? "diverged" : all.length == 1 ? String.format(Locale.ROOT, "%.4f", all[0])
        : String.format(Locale.ROOT, "%.4f ± %.4f", Significance.mean(all), Significance.deviation(all));
  }

  private static String size(long bytes) {
    return bytes >= 10_000_000 ? String.format(Locale.ROOT, "%.1f MB", bytes / 1e6)
        : String.format(Locale.ROOT, "%.0f kB", bytes / 1e3);
  }

  static String tests(boolean items) {
    return "Differences are told from chance by Welch's t-test over seeds (the base model counts as a known value)"
        + (items ? "; on the task also by the paired randomisation test over test items, averaged over seeds, and the "
        + "greater p counts" : "") + "; with Holm's correction for all pairs. From p = 0.05 on it is a tie.";
  }

  /** Who is better than whom: the best by its mean, what it is tied with, and every pair. */
  static String verdict(String title, List<Row> rows, List<Pair> pairs, boolean higher, List<Double> means) {
    List<String> names = rows.stream().map(Row::method).toList();
    Comparator<String> order = Comparator.comparingDouble(name -> rank(means.get(names.indexOf(name)), higher));
    List<String> ranked = names.stream().sorted(order).toList();
    String best = ranked.get(0);
    List<String> ties = ranked.stream().skip(1).filter(other -> pair(pairs, best, other).isTie()).toList();
    StringBuilder text = new StringBuilder(title).append(": ");
    if (ties.isEmpty()) {
      text.append("**").append(best).append("** is better than all others.\n\n");
    } else {
      text.append("no single best; tied at the top are ").append(best).append(", ").append(String.join(", ", ties)).append(".\n\n");
    }
    for (String name : ranked.subList(0, ranked.size() - 1)) {
      List<String> rest = ranked.subList(ranked.indexOf(name) + 1, ranked.size());
      String worse = rest.stream().filter(other -> !pair(pairs, name, other).isTie())
          .map(other -> other + " (p " + shown(pair(pairs, name, other).p()) + ")").collect(Collectors.joining(", "));
      String tied = rest.stream().filter(other -> pair(pairs, name, other).isTie())
          .map(other -> other + " (p " + shown(pair(pairs, name, other).p()) + ")").collect(Collectors.joining(", "));
      text.append("- ").append(name).append(worse.isEmpty() ? "" : ": better than " + worse)
          .append(tied.isEmpty() ? "" : (worse.isEmpty() ? ": " : "; ") + "a tie with " + tied).append('\n');
    }
    return text.toString();
  }

  private static double rank(double mean, boolean higher) {
    return Double.isNaN(mean) ? Double.MAX_VALUE : higher ? -mean : mean;
  }

  private static String shown(double p) {
    return p < 0.001 ? "< 0.001" : String.format(Locale.ROOT, "%.3f", p);
  }

  private static Pair pair(List<Pair> pairs, String a, String b) {
    return pairs.stream().filter(p -> p.first().equals(a) && p.second().equals(b) || p.first().equals(b)
        && p.second().equals(a)).findFirst().orElseThrow();
  }
}
