package dev.fettle.internal.torch;

import dev.fettle.DType;
import dev.fettle.internal.Linux;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The processor of this machine, as libtorch and its libraries see it.
 *
 * @param maker its identification, such as {@code GenuineIntel}; empty if unknown
 * @param instructions its instruction sets, as Linux names them
 * @param held what the environment says to keep the libraries from using, such as {@code ONEDNN_MAX_CPU_ISA=AVX2}
 */
public record Processor(String maker, Set<String> instructions, List<String> held) {
  /** From the best to the least; those that change how libraries compute. */
  private static final List<String> LEVELS = List.of("amx_bf16", "avx512_bf16", "avx512f", "avx2");
  private static final List<String> VARIABLES =
      List.of("ATEN_CPU_CAPABILITY", "ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA", "MKL_ENABLE_INSTRUCTIONS", "MKL_CBWR",
          "FBGEMM_ENABLE_INSTRUCTIONS");

  /** This machine's. */
  static Processor here() {
    String windows = System.getenv().getOrDefault("PROCESSOR_IDENTIFIER", "");
    return new Processor(Linux.HERE.processorMaker().orElse(windows.substring(windows.lastIndexOf(' ') + 1)),
        Set.copyOf(Linux.HERE.processorFeatures()), VARIABLES.stream()
        .filter(System.getenv()::containsKey).map(v -> v + "=" + System.getenv(v)).toList());
  }

  boolean isIntel() {
    return maker.equals("GenuineIntel");
  }

  /** Whether it is one whose bf16 products oneDNN computes, as libtorch is built for it. */
  boolean isX86() {
    return instructions.contains("sse2") || maker.equals("GenuineIntel") || maker.equals("AuthenticAMD");
  }

  /** The number type in which models compute fastest: bf16 where there are instructions for its products, else f32. */
  public static DType fastestType() {
    Torch torch = Torch.get();
    Processor processor = torch.processor();
    boolean bf16 = processor.isX86() ? torch.bf16() : processor.instructions.contains("bf16");
    return bf16 ? DType.BF16 : DType.F32;
  }

  /** What results depend on, such as {@code AuthenticAMD avx512_bf16}. */
  @Override
  public String toString() {
    String level = LEVELS.stream().filter(instructions::contains).findFirst().orElse("");
    return Stream.concat(Stream.of(maker, level), held.stream()).filter(s -> !s.isEmpty()).collect(Collectors.joining(" "));
  }
}
