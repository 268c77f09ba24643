package dev.fettle.internal.local;

import dev.fettle.internal.model.AdapterShape;
import java.util.ArrayList;
import java.util.List;

/** What PEFT calls the tensors of an adapter. */
final class AdapterNames {
  static final String EMBEDDING_A = AdapterShape.EMBEDDING + ".lora_embedding_A";
  static final String EMBEDDING_B = AdapterShape.EMBEDDING + ".lora_embedding_B";
  /** The new embeddings of single tokens. */
  static final String TOKENS = AdapterShape.EMBEDDING + ".token_adapter.trainable_tokens_delta";
  /** A copy of the weight below an adapter, which files of adapters of embeddings hold. */
  static final String BASE = ".base_layer.weight";

  private AdapterNames() {}

  /** The tensors of an adapted linear layer. */
  enum Kind {
    A(".lora_A.weight"), B(".lora_B.weight"), BIAS(".lora_B.bias"), MAGNITUDE(".lora_magnitude_vector");

    private final String suffix;

    Kind(String suffix) {
      this.suffix = suffix;
    }

    /** Those that adapters have, in the order of the vector. */
    static List<Kind> of(AdapterShape.Kind kind) {
      List<Kind> out = new ArrayList<>(List.of(A, B));
      if (kind.biases()) {
        out.add(BIAS);
      }
      if (kind.magnitudes()) {
        out.add(MAGNITUDE);
      }
      return out;
    }

    String name(String module) {
      return module + suffix;
    }

    boolean is(String name) {
      return name.endsWith(suffix);
    }

    long[] dimensions(AdapterShape shape, int layer, int group, int module) {
      long rank = shape.moduleRank(layer, module);
      long rows = shape.moduleOutputs(module);
      return switch (this) {
        case A -> new long[] {rank, shape.inputs(group)};
        case B -> new long[] {rows, rank};
        default -> new long[] {rows};
      };
    }
  }

  /** The module that a tensor of an adapter belongs to. */
  static String module(String name) {
    return name.replaceAll("\\.lora_(A\\.weight|B\\.weight|B\\.bias|magnitude_vector|embedding_[AB])$", "");
  }
}
