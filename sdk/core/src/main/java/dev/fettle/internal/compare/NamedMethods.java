package dev.fettle.internal.compare;

import dev.fettle.Full;
import dev.fettle.InvalidInputException;
import dev.fettle.Lora;
import dev.fettle.Modules;
import dev.fettle.Tuning;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The methods that have names of their own. */
public final class NamedMethods {
  /** The model as it is. */
  public static final String BASE = "base";
  /** All of them. */
  public static final List<String> NAMES =
      List.of(BASE, "lora", "lora-attention", "lora-mlp", "full", "hybrid");

  private static final double FACTOR = 0.1;

  private NamedMethods() {}

  /** Methods by name, in order, without the base. */
  public static Map<String, Tuning> of(List<String> names, List<Integer> ranks, List<Modules> hybrid) {
    if (ranks.isEmpty()) {
      throw new InvalidInputException("no rank: give at least one");
    }
    Modules[] parts = hybrid.isEmpty() ? new Modules[] {Modules.lastLayers(2), Modules.lmHead()}
        : hybrid.toArray(Modules[]::new);
    Lora highest = Lora.rank(Collections.max(ranks));
    Map<String, Tuning> methods = new LinkedHashMap<>();
    for (String name : names) {
      switch (name) {
        case BASE -> { }
        case "lora" -> ranks.forEach(rank -> add(methods, ranks.size() == 1 ? name : name + "-r" + rank, Lora.rank(rank)));
        case "lora-attention" -> add(methods, name, highest.targetModules(Modules.attention()));
        case "lora-mlp" -> add(methods, name, highest.targetModules(Modules.mlp()));
        case "full" -> add(methods, name, Full.all());
        case "hybrid" -> add(methods, name, highest.plus(Full.of(parts).learningRateFactor(FACTOR)));
        default -> throw new InvalidInputException("unknown method \"" + name + "\"; there are "
            + String.join(", ", NAMES));
      }
    }
    return methods;
  }

  private static void add(Map<String, Tuning> methods, String name, Tuning tuning) {
    if (methods.put(name, tuning) != null) {
      throw new InvalidInputException("method " + name + " is given twice");
    }
  }
}
