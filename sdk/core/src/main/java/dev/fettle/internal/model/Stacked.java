package dev.fettle.internal.model;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Where a weight stands in a file that has the weights of all experts as one tensor [experts, parts x rows, columns].
 *
 * @param tensor the name of that tensor
 * @param index the expert
 * @param part which of the expert's matrices
 * @param parts how many of them each expert has
 */
public record Stacked(String tensor, int index, int part, int parts) {
  private static final Pattern EXPERT = Pattern.compile("(.*\\.mlp\\.experts)\\.(\\d{1,9})\\.(gate|up|down)_proj\\.weight");

  /** Of an expert's weight: gate and up are one tensor, as transformers holds them in memory. */
  static Optional<Stacked> ofExperts(String weight) {
    Matcher m = EXPERT.matcher(weight);
    if (!m.matches()) {
      return Optional.empty();
    }
    boolean down = m.group(3).equals("down");
    return Optional.of(new Stacked(m.group(1) + (down ? ".down_proj" : ".gate_up_proj"), Integer.parseInt(m.group(2)),
        m.group(3).equals("up") ? 1 : 0, down ? 1 : 2));
  }
}
