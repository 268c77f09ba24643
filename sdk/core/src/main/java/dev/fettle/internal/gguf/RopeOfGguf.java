package dev.fettle.internal.gguf;

import dev.fettle.InvalidInputException;
import dev.fettle.UnsupportedModelException;
import dev.fettle.internal.gguf.GgufFamily.Trait;
import dev.fettle.internal.json.ArrayNode;
import dev.fettle.internal.json.ObjectNode;
import java.nio.ByteBuffer;

/** How a GGUF rotates queries and keys, in the words of a {@code config.json}. */
final class RopeOfGguf {
  private static final String DEFAULT = "default";
  private static final String ORIGINAL = "original_max_position_embeddings";
  private static final double THETA = 10_000;
  private static final int MOST = 1 << 20;

  private final GgufFile file;
  private final Metadata from;
  private final GgufFamily family;
  private final ObjectNode config;

  private RopeOfGguf(GgufFile file, GgufFamily family, ObjectNode config) {
    this.file = file;
    this.from = file.metadata();
    this.family = family;
    this.config = config;
  }

  static void put(GgufFile file, GgufFamily family, ObjectNode config) {
    RopeOfGguf reader = new RopeOfGguf(file, family, config);
    reader.put();
    switch (config.path("model_type").asString()) {
      case "olmo3" -> reader.byKindOfLayer();
      case "ministral3" -> reader.withGrowth();
      default -> {
        return;
      }
    }
  }

  /** Of OLMo 3 the layers with a window are not rescaled. */
  private void byKindOfLayer() {
    double theta = config.path("rope_theta").asDouble();
    ObjectNode full = taken();
    ObjectNode all = config.putObject("rope_parameters");
    all.set("full_attention", full);
    all.putObject("sliding_attention").put("rope_type", DEFAULT).put("rope_theta", theta);
  }

  /** What has been put so far, no longer in its older place. */
  private ObjectNode taken() {
    ObjectNode settings = config.path("rope_scaling") instanceof ObjectNode scaled ? scaled : new ObjectNode().put("rope_type", DEFAULT);
    settings.put("rope_theta", config.path("rope_theta").asDouble());
    config.remove("rope_scaling");
    config.remove("rope_theta");
    return settings;
  }

  /** Of Ministral 3 queries grow with each so many positions as its original context has. */
  private void withGrowth() {
    config.set("rope_parameters", taken().put(ORIGINAL, originalContext())
        .put("llama_4_scaling_beta", from.number(key("attention.temperature_scale")).orElse(0.0)));
  }

  private String key(String key) {
    return family.id() + "." + key;
  }

  private void put() {
    config.put("rope_theta", from.number(key("rope.freq_base")).orElse(THETA));
    int headDim = config.path("head_dim").asInt();
    int dim = from.whole(key("rope.dimension_count"), 2, MOST).orElse(headDim);
    if (dim != headDim && !family.has(Trait.PARTLY_TURNED)) {
      throw from.invalid(key("rope.dimension_count"), "the " + headDim + " numbers of a head: partly rotated heads are not supported in "
          + family.id() + " models");
    }
    if (family.has(Trait.PARTLY_TURNED)) {
      config.put("partial_rotary_factor", (double) dim / headDim);
    }
    if (file.tensors().containsKey(RopeMetadata.LONG) || file.tensors().containsKey(RopeMetadata.SHORT)) {
      longRope(RopeMetadata.SHORT, RopeMetadata.LONG, from.number(key("rope.scaling.attn_factor")).orElse(1.0), dim);
      return;
    }
    if (file.tensors().containsKey(RopeMetadata.FREQUENCIES)) {
      longRope(RopeMetadata.FREQUENCIES, RopeMetadata.FREQUENCIES, 1, dim);
      return;
    }
    String type = from.text(key("rope.scaling.type")).orElse("none");
    double factor = from.number(key("rope.scaling.factor")).or(() -> from.number(key("rope.scale_linear"))).orElse(1.0);
    switch (type) {
      case "none" -> linear(factor);
      case "linear" -> linear(factor);
      case "yarn" -> yarn(factor);
      default -> throw new UnsupportedModelException(file.path() + ": " + key("rope.scaling.type") + " is " + type
          + "; it can be none, linear or yarn, and longrope with tensors of factors");
    }
  }

  private ObjectNode scaling(String type) {
    return config.putObject("rope_scaling").put("rope_type", type);
  }

  private int originalContext() {
    return from.whole(key(RopeMetadata.ORIGINAL), 1, Integer.MAX_VALUE)
        .orElse(config.path("max_position_embeddings").asInt());
  }

  private void linear(double factor) {
    if (factor != 1 && factor != 0) {
      scaling("linear").put("factor", factor);
    }
  }

  private void yarn(double factor) {
    double attention = from.number(key("rope.scaling.attn_factor")).orElse(1.0) * magnitude(factor, 1)
        / magnitude(factor, from.number(key("rope.scaling.yarn_log_multiplier")).filter(m -> family.has(Trait.YARN_RAMP)).orElse(0.0));
    ObjectNode scaling = scaling("yarn").put("factor", factor).put(ORIGINAL, originalContext()).put("attention_factor", attention);
    if (family.has(Trait.YARN_RAMP)) {
      scaling.put("beta_fast", from.number(key("rope.scaling.yarn_beta_fast")).orElse(RopeMetadata.BETA_FAST));
      scaling.put("beta_slow", from.number(key("rope.scaling.yarn_beta_slow")).orElse(RopeMetadata.BETA_SLOW));
    }
  }

  private static double magnitude(double factor, double weight) {
    return factor <= 1 ? 1 : 0.1 * weight * Math.log(factor) + 1;
  }

  /** Angles that are divided by factors of their own: one list for short texts, one for long ones, or the same for all. */
  private void longRope(String shortFactors, String longFactors, double attention, int dim) {
    // Outside of the settings, where a Phi 3 reads it.
    config.put(ORIGINAL, originalContext());
    ObjectNode scaling = scaling("longrope").put("attention_factor", attention);
    factors(scaling.putArray("short_factor"), shortFactors, dim);
    factors(scaling.putArray("long_factor"), longFactors, dim);
  }

  private void factors(ArrayNode into, String name, int dim) {
    GgufTensor tensor = file.tensors().get(name);
    if (tensor == null || tensor.type() != GgmlType.F32 || tensor.shape().length != 1 || tensor.shape()[0] != dim / 2) {
      throw new InvalidInputException(file.path() + ": tensor " + name + " must be " + dim / 2 + " numbers of type F32, one for each "
          + "pair of a head's numbers that is rotated");
    }
    ByteBuffer values = file.rows(tensor, 0, 1);
    for (int i = 0; i < dim / 2; i++) {
      float value = values.getFloat();
      if (!(value > 0) || Float.isInfinite(value)) {
        throw new InvalidInputException(file.path() + ": tensor " + name + " holds " + value + "; a factor must be a number above 0");
      }
      // As it is written for people, so that it is the same number when it is read as one of 64 bits and rounded again.
      into.add(Double.parseDouble(Float.toString(value)));
    }
  }
}
