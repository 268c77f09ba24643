package dev.fettle.internal.local;

import dev.fettle.NotEnoughMemoryException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
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
    long least = LIMIT;
    try {
      for (String line : Files.readAllLines(Path.of("/proc/meminfo"))) {
        if (line.startsWith("MemAvailable:")) {
          least = Math.min(least, 1024 * Long.parseLong(line.replaceAll("\\D", "")));
        }
      }
      least = Math.min(least, container());
    } catch (IOException | NumberFormatException e) {
      return LIMIT == Long.MAX_VALUE ? OptionalLong.empty() : OptionalLong.of(LIMIT);
    }
    return least == Long.MAX_VALUE ? OptionalLong.empty() : OptionalLong.of(least);
  }

  private static long container() throws IOException {
    Path max = Path.of("/sys/fs/cgroup/memory.max");
    Path current = Path.of("/sys/fs/cgroup/memory.current");
    if (!Files.isReadable(max) || !Files.isReadable(current)) {
      return Long.MAX_VALUE;
    }
    String limit = Files.readString(max).trim();
    return limit.equals("max") ? Long.MAX_VALUE
        : Math.max(0, Long.parseLong(limit) - Long.parseLong(Files.readString(current).trim()));
  }

  private static double gib(long bytes) {
    return bytes / (double) (1 << 30);
  }
}
