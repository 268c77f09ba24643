package dev.fettle.internal.local;

import dev.fettle.DType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;

/** What the processor of this machine does natively. */
final class Processor {
  private static final Set<String> BF16_FLAGS = Set.of("avx512_bf16", "amx_bf16", "bf16");

  private Processor() {}

  /** bf16 where the processor has dot products of it, else f32. */
  static DType bestType() {
    return flags().stream().anyMatch(BF16_FLAGS::contains) ? DType.BF16 : DType.F32;
  }

  private static List<String> flags() {
    try {
      for (String line : Files.readAllLines(Path.of("/proc/cpuinfo"))) {
        if (line.startsWith("flags") || line.startsWith("Features")) {
          return Arrays.asList(line.substring(line.indexOf(':') + 1).trim().split("\\s+"));
        }
      }
    } catch (IOException e) {
      return List.of();
    }
    return List.of();
  }
}
