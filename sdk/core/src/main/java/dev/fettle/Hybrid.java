package dev.fettle;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * Adapters on some modules and full training of others, made by {@link Lora#plus}. Each part has a learning rate and a
 * weight decay of its own if it says so; the gradient is clipped by the norm of all parts together. Immutable.
 */
public final class Hybrid implements Tuning {
  private final Lora lora;
  private final List<Full> parts;

  Hybrid(Lora lora, List<Full> parts) {
    this.lora = lora;
    this.parts = List.copyOf(parts);
  }

  /** With another part that is trained in full. No two parts may share a weight. */
  public Hybrid plus(Full part) {
    List<Full> all = new ArrayList<>(parts);
    all.add(Objects.requireNonNull(part, "part"));
    return new Hybrid(lora, all);
  }

  /** The adapters. */
  public Lora lora() {
    return lora;
  }

  /** The parts that are trained in full. */
  public List<Full> parts() {
    return parts;
  }

  @Override
  public String toString() {
    String text = "Hybrid[" + lora + ", " + (parts.size() == 1 ? parts.get(0) : parts.size() + " full parts") + "]";
    return text.length() > 80 ? "Hybrid[rank " + lora.rank() + ", " + parts.size() + " full parts]" : text;
  }
}
