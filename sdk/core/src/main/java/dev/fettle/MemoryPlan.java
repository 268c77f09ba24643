package dev.fettle;

import dev.fettle.internal.Gibibytes;
import dev.fettle.internal.NoNulls;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Objects;

/**
 * The native memory that a piece of work will hold at its busiest moment, computed from shapes alone, before anything is
 * allocated. Java's own heap and libtorch itself, some 0.3 GiB, come on top. Immutable.
 *
 * @param parts what it is made of, in the order in which it comes into being; none is empty
 */
public record MemoryPlan(List<Part> parts) {
  private static final int WIDTH = 80;
  /** Below this a plan shows MiB. */
  private static final long SMALL = 1L << 27;

  /**
   * What takes memory.
   *
   * @param name such as {@code weights}, {@code gradients} or {@code activations}
   * @param bytes how much of it
   */
  public record Part(String name, long bytes) {
    public Part {
      Objects.requireNonNull(name, "name");
      if (bytes < 0) {
        throw new InvalidInputException("bytes " + bytes + " of " + name + ": give 0 or more");
      }
    }

    @Override
    public String toString() {
      return name + " " + Gibibytes.of(bytes);
    }
  }

  public MemoryPlan {
    parts = NoNulls.in(parts, "parts").stream().filter(part -> part.bytes > 0).toList();
  }

  /** The bytes of all parts together. */
  public long total() {
    return parts.stream().mapToLong(Part::bytes).sum();
  }

  /** The bytes of a part; 0 if there is none of this name. */
  public long bytes(String name) {
    Objects.requireNonNull(name, "name");
    return parts.stream().filter(part -> part.name.equals(name)).mapToLong(Part::bytes).sum();
  }

  /** The largest parts, in GiB or where all is small in MiB, as many as there is room for on a line of 80 characters. */
  @Override
  public String toString() {
    boolean small = total() > 0 && total() < SMALL;
    StringBuilder out = new StringBuilder("MemoryPlan[").append(small ? mib(total()) + " MiB" : Gibibytes.of(total()) + " GiB");
    List<Part> largest = parts.stream().sorted(Comparator.comparing(Part::bytes).reversed()).toList();
    String separator = ": ";
    for (Part part : largest) {
      String text = small ? part.name + " " + mib(part.bytes) : part.toString();
      if (out.length() + separator.length() + text.length() + ", ...]".length() > WIDTH) {
        return out.append(", ...]").toString();
      }
      out.append(separator).append(text);
      separator = ", ";
    }
    return out.append(']').toString();
  }

  private static String mib(long bytes) {
    return String.format(Locale.ROOT, "%.1f", bytes / (double) (1 << 20));
  }
}
