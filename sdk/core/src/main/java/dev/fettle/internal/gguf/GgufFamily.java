package dev.fettle.internal.gguf;

import dev.fettle.UnsupportedModelException;
import dev.fettle.internal.model.Architecture;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * What llama.cpp calls a family of decoders, and how its code for it differs from that for others, as far as no key of a file's
 * metadata says so.
 */
public enum GgufFamily {
  LLAMA("llama", List.of("llama", "mistral"), Trait.NEIGHBOURS, Trait.BIASES, Trait.MLP_BIASES, Trait.ROPE_TENSORS),
  MISTRAL3("mistral3", List.of("ministral3"), Trait.NEIGHBOURS, Trait.BIASES, Trait.MLP_BIASES, Trait.ROPE_TENSORS, Trait.YARN_RAMP,
      Trait.GROWTH),
  QWEN2("qwen2", List.of("qwen2"), Trait.QKV_BIAS, Trait.HEADS_FILL),
  QWEN3("qwen3", List.of("qwen3")),
  QWEN3MOE("qwen3moe", List.of("qwen3_moe"), Trait.NORMALISED_EXPERTS),
  QWEN35("qwen35", List.of("qwen3_5_text"), Trait.STATES, Trait.PARTLY_TURNED),
  GEMMA("gemma", List.of("gemma"), Trait.OF_GEMMAS, Trait.ALWAYS_TIED),
  GEMMA2("gemma2", List.of("gemma2"), Trait.OF_GEMMAS, Trait.ALWAYS_TIED, Trait.WINDOWS, Trait.SOFT_CAPS),
  GEMMA3("gemma3", List.of("gemma3_text"), Trait.OF_GEMMAS, Trait.WINDOWS, Trait.LOGIT_CAP),
  SMOLLM3("smollm3", List.of("smollm3"), Trait.NEIGHBOURS),
  PHI3("phi3", List.of("phi3"), Trait.FUSED_MLP, Trait.ROPE_TENSORS, Trait.HEADS_FILL, Trait.PARTLY_TURNED),
  GRANITE("granite", List.of("granite", "granitemoehybrid"), Trait.NEIGHBOURS, Trait.BIASES, Trait.MLP_BIASES, Trait.ROPE_TENSORS,
      Trait.MULTIPLIERS),
  OLMO2("olmo2", List.of("olmo2", "olmo3"), Trait.WINDOWS, Trait.NEEDS_OUTPUT, Trait.HEADS_FILL),
  OLMOE("olmoe", List.of("olmoe"), Trait.NEEDS_OUTPUT, Trait.HEADS_FILL, Trait.KEYS_FOR_EACH);

  /** What llama.cpp's code for a family does or takes. */
  enum Trait {
    /** Turns neighbouring numbers as a pair, for which the rows of queries and keys are stored in another order. */
    NEIGHBOURS,
    /** Takes biases of queries, keys and values. */
    QKV_BIAS,
    /** Takes these and one of what attention gives. */
    BIASES,
    MLP_BIASES,
    /** Takes angles from tensors. */
    ROPE_TENSORS,
    /** The weights of chosen experts add up to 1; of other families they do not. */
    NORMALISED_EXPERTS,
    /** Has no output embedding of its own. */
    ALWAYS_TIED,
    /** Has none but one of its own. */
    NEEDS_OUTPUT,
    /** Has layers with a window among those without. */
    WINDOWS,
    /** Caps attention scores and logits, always. */
    SOFT_CAPS,
    /** Caps logits where the file says so. */
    LOGIT_CAP,
    /** Multiplies embeddings with the root of their width; its activation is GELU. */
    OF_GEMMAS,
    /** May turn a part of each head. */
    PARTLY_TURNED,
    /** Reads where YaRN's ramp begins and ends; the others have it from 32 turns to 1. */
    YARN_RAMP,
    /** May have queries that grow with the position. */
    GROWTH,
    /** Has layers with a state among those with attention. */
    STATES,
    /** Gate and up are one tensor, called ffn_up. */
    FUSED_MLP,
    /** All heads together are as wide as the model. */
    HEADS_FILL,
    /** Has a head of keys and values for each of queries. */
    KEYS_FOR_EACH,
    /** Scales embeddings, attention scores, residuals and logits as the file says. */
    MULTIPLIERS
  }

  private final String id;
  private final List<String> types;
  private final Set<Trait> traits;

  GgufFamily(String id, List<String> types, Trait... traits) {
    this.id = id;
    this.types = types;
    this.traits = Set.of(traits);
  }

  /** The family of an architecture; UnsupportedModelException if llama.cpp, or Fettle's writer for it, has none. */
  public static GgufFamily of(Architecture architecture) {
    return Arrays.stream(values()).filter(f -> f.types.contains(architecture.decoder())).findFirst().orElseThrow(() ->
        new UnsupportedModelException("a model of type " + architecture.decoder() + " cannot be saved as GGUF; the types are "
            + Arrays.stream(values()).flatMap(f -> f.types.stream()).collect(Collectors.joining(", "))));
  }

  /** The family that a file names, if it is known. */
  static Optional<GgufFamily> named(String id) {
    return Arrays.stream(values()).filter(f -> f.id.equals(id)).findFirst();
  }

  /** Its name, with which its keys begin. */
  public String id() {
    return id;
  }

  /** The {@code model_type} that a model read from a file gets, unless its metadata speaks for a later one. */
  String type() {
    return types.get(0);
  }

  boolean has(Trait trait) {
    return traits.contains(trait);
  }

  boolean turnsNeighbours() {
    return has(Trait.NEIGHBOURS);
  }

  boolean fusesGateAndUp() {
    return has(Trait.FUSED_MLP);
  }

  boolean needsOutput() {
    return has(Trait.NEEDS_OUTPUT);
  }
}
