package dev.fettle;

import dev.fettle.internal.NoNulls;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.stream.Collectors;

/**
 * What a training changes.
 *
 * @param rows one a kind of module
 * @param trained how many numbers are trained
 * @param total how many numbers the model has, without adapters
 */
public record Trainable(List<Row> rows, long trained, long total) {
  /** How an output embedding is trained that was one weight with the input embedding and no longer is. */
  public static final String UNTIED = "full, now untied";

  public Trainable {
    rows = List.copyOf(NoNulls.in(rows, "rows"));
  }

  /**
   * A kind of module that is trained.
   *
   * @param name such as {@code self_attn.q_proj}
   * @param modules how many there are
   * @param how such as {@code LoRA, rank 16}, {@code full} or {@link Trainable#UNTIED}
   * @param parameters how many numbers are trained in all of them
   */
  public record Row(String name, int modules, String how, long parameters) {
    public Row {
      Objects.requireNonNull(name, "name");
      Objects.requireNonNull(how, "how");
    }

    @Override
    public String toString() {
      return "Row[" + modules + " x " + name + ", " + how + ", " + parameters + "]";
    }
  }

  /** The trained share of the model's own size; 0 where a service does not say how large the model is. */
  public double share() {
    return total == 0 ? 0 : (double) trained / total;
  }

  /** A table for people, one line a row, the sum and its share of the model, as wide as what is in it. */
  public String table() {
    List<List<String>> cells = new ArrayList<>();
    cells.add(List.of("trained", "count", "how", "parameters"));
    rows.forEach(row -> cells.add(List.of(row.name, String.valueOf(row.modules), row.how, grouped(row.parameters))));
    cells.add(List.of("all", String.valueOf(rows.stream().mapToInt(Row::modules).sum()), "", grouped(trained)));
    int[] width = new int[4];
    cells.forEach(line -> Arrays.setAll(width, i -> Math.max(width[i], line.get(i).length())));
    String format = "%-" + width[0] + "s  %" + width[1] + "s  %-" + width[2] + "s  %" + width[3] + "s%n";
    return cells.stream().map(line -> String.format(Locale.ROOT, format, line.toArray())).collect(Collectors.joining())
        + String.format(Locale.ROOT, "%.2f %% of the model%n", 100 * share());
  }

  private static String grouped(long number) {
    return String.format(Locale.ROOT, "%,d", number);
  }

  @Override
  public String toString() {
    boolean untied = rows.stream().anyMatch(r -> r.how.equals(UNTIED));
    return String.format(Locale.ROOT, "Trainable[%,d of %,d, %.2f %%%s]", trained, total, 100 * share(),
        untied ? ", lm_head now untied" : "");
  }
}
