package dev.fettle.internal.local;

import dev.fettle.internal.model.AdapterShape;
import java.util.ArrayList;
import java.util.List;

/** What PEFT calls the tensors of an adapter. */
final class AdapterNames {
  private static final String EMBEDDING_A = ".lora_embedding_A";
  private static final String EMBEDDING_B = ".lora_embedding_B";
  /** The new embeddings of single tokens, behind the name of the embedding. */
  static final String TOKENS = ".token_adapter.trainable_tokens_delta";

  private AdapterNames() {}

  static String embeddingA(AdapterShape shape) {
    return shape.embedding().name() + EMBEDDING_A;
  }

  static String embeddingB(AdapterShape shape) {
    return shape.embedding().name() + EMBEDDING_B;
  }

  /** Whether a tensor is the A of a module, of which each adapter has one. */
  static boolean isA(String name) {
    return Kind.A.is(name) || name.endsWith(EMBEDDING_A);
  }

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

    long[] dimensions(AdapterShape.Member member, long inputs) {
      return switch (this) {
        case A -> new long[] {member.ranks(), inputs};
        case B -> new long[] {member.outputs(), member.ranks()};
        default -> new long[] {member.outputs()};
      };
    }
  }

  /** A name without that of the adapter, which PEFT leaves out in its files and reads if others did not. */
  static String plain(String name) {
    return name.replaceFirst("(\\.lora_\\w+)\\.default(?=\\.|$)", "$1").replaceFirst("(\\.lora_magnitude_vector)\\.weight$", "$1");
  }

  /** The module that a tensor of an adapter belongs to. */
  static String module(String name) {
    return name.replaceAll("\\.lora_(A\\.weight|B\\.weight|B\\.bias|magnitude_vector|embedding_[AB])$", "");
  }
}
