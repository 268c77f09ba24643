package dev.fettle.internal.local;

import dev.fettle.NotEnoughMemoryException;
import dev.fettle.internal.Linux;
import java.util.Locale;
import java.util.OptionalLong;

/** Compares what a piece of work will need with what the machine has, before anything is allocated. */
final class Memory {
  private static final long LIMIT = Long.getLong("fettle.memory", Long.MAX_VALUE);

  private Memory() {}

  /** Refuses work that would not fit; lets it pass where the system does not say how much is free. */
  static void require(long bytes, String what) {
    OptionalLong available = available();
    if (available.isPresent() && bytes > available.getAsLong()) {
      throw new NotEnoughMemoryException(String.format(Locale.ROOT,
          "%s needs about %.2f GiB of native memory, but only %.2f GiB are available: use fewer or shorter sequences, "
              + "a smaller model or rank, or bf16", what, gib(bytes), gib(available.getAsLong())));
    }
  }

  /** Whether work would fit; true where the system does not say how much is free. */
  static boolean fits(long bytes) {
    OptionalLong available = available();
    return available.isEmpty() || bytes <= available.getAsLong();
  }

  /** Free memory in bytes: of the machine, of the container, and of the limit {@code fettle.memory}. */
  static OptionalLong available() {
    long least = Math.min(LIMIT, Linux.HERE.availableBytes().orElse(Long.MAX_VALUE));
    return least == Long.MAX_VALUE ? OptionalLong.empty() : OptionalLong.of(least);
  }

  private static double gib(long bytes) {
    return bytes / (double) (1 << 30);
  }
}
