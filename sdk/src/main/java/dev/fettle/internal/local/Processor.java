package dev.fettle.internal.local;

import dev.fettle.DType;
import dev.fettle.internal.Linux;
import java.util.Set;

/** What the processor of this machine does natively. */
final class Processor {
  private static final Set<String> BF16_FLAGS = Set.of("avx512_bf16", "amx_bf16", "bf16");

  private Processor() {}

  /** bf16 where the processor has dot products of it, else f32. */
  static DType bestType() {
    return Linux.HERE.processorFeatures().stream().anyMatch(BF16_FLAGS::contains) ? DType.BF16 : DType.F32;
  }
}
