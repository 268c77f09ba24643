package dev.fettle.internal.remote;

import dev.fettle.InvalidInputException;
import dev.fettle.internal.wire.Paths;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Where a checkpoint is on a service: {@code tinker://RUN/KIND/NAME}, or on some {@code tinker://RUN/NAME} where the
 * kind is {@code sampler_weights}.
 */
record TinkerPath(String run, String kind, String name, boolean short2) {
  private static final String SAMPLER = "sampler_weights";

  static TinkerPath parse(String text) {
    // A java.nio.file.Path makes one slash of two.
    String rest = text.startsWith(Paths.TINKER) ? text.substring(Paths.TINKER.length())
        : text.startsWith("tinker:/") ? text.substring("tinker:/".length()) : null;
    List<String> parts = rest == null ? List.of() : Arrays.asList(rest.split("/", -1));
    boolean plain = parts.stream().allMatch(p -> p.matches("[\\w.:@+~-]+") && !p.matches("\\.+"));
    if (!plain || parts.size() != 2 && parts.size() != 3) {
      throw new InvalidInputException("\"" + text.replaceAll("\\s", " ") + "\" is no checkpoint of a service: give a path "
          + "like tinker://run/weights/name");
    }
    return parts.size() == 3 ? new TinkerPath(parts.get(0), parts.get(1), parts.get(2), false)
        : new TinkerPath(parts.get(0), SAMPLER, parts.get(1), true);
  }

  /** Below which paths of a server the checkpoint may be: servers differ in whether the kind is part of the name. */
  List<String> resources(boolean bareToo) {
    String checkpoints = Paths.TRAINING_RUNS + "/" + run + "/checkpoints/";
    List<String> out = new ArrayList<>(List.of(checkpoints + kind + "/" + name));
    if (bareToo) {
      out.add(short2 ? 0 : 1, checkpoints + name);
    }
    return out;
  }

  @Override
  public String toString() {
    return Paths.TINKER + run + "/" + (short2 ? "" : kind + "/") + name;
  }
}
