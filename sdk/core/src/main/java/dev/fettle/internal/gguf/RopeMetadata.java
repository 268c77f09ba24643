package dev.fettle.internal.gguf;

import dev.fettle.UnsupportedModelException;
import dev.fettle.internal.gguf.GgufFamily.Trait;
import dev.fettle.internal.model.DefaultRope;
import dev.fettle.internal.model.DynamicRope;
import dev.fettle.internal.model.LayerConfig;
import dev.fettle.internal.model.LinearRope;
import dev.fettle.internal.model.Llama3Rope;
import dev.fettle.internal.model.LongRope;
import dev.fettle.internal.model.ModelConfig;
import dev.fettle.internal.model.Rope;
import dev.fettle.internal.model.YarnRope;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** How queries and keys are rotated, in the terms of a GGUF: keys of its metadata, and tensors of what divides angles. */
public final class RopeMetadata {
  static final String FREQUENCIES = "rope_freqs.weight";
  static final String LONG = "rope_factors_long.weight";
  static final String SHORT = "rope_factors_short.weight";
  static final String ORIGINAL = "rope.scaling.original_context_length";
  /** In each so many-th layer, and there alone, SmolLM 3 rotates nothing. */
  private static final int UNROTATED = 4;
  static final double BETA_FAST = 32;
  static final double BETA_SLOW = 1;

  private static final Logger LOG = LoggerFactory.getLogger(RopeMetadata.class);

  private final ModelConfig config;
  private final GgufFamily family;
  private final Metadata into;

  /**
   * A tensor of what the angle of each pair is divided by.
   *
   * @param tensor its name
   */
  public record Factors(String tensor, float[] values) {}

  private RopeMetadata(ModelConfig config, GgufFamily family, Metadata into) {
    this.config = config;
    this.family = family;
    this.into = into;
  }

  static List<Factors> put(ModelConfig config, GgufFamily family, Metadata into) {
    return new RopeMetadata(config, family, into).put();
  }

  private void require(boolean known, String what) {
    if (!known) {
      throw new UnsupportedModelException(into.source() + ": " + what + ": llama.cpp does not know that of " + family.id() + " models");
    }
  }

  private List<Factors> put() {
    Optional<Rope> found = config.layers().stream().filter(l -> l.numbers().window() == 0 || !family.has(Trait.WINDOWS))
        .flatMap(l -> l.rope().stream()).findFirst().or(() -> config.layers().stream().flatMap(l -> l.rope().stream()).findFirst());
    int headDim = config.layers().get(0).headDim();
    if (found.isEmpty()) {
      require(family == GgufFamily.GRANITE, "no layer rotates queries and keys");
      put("rope.dimension_count", headDim);
      into.put(family.id() + ".rope.scaling.finetuned", false);
      return List.of();
    }
    Rope rope = found.get();
    for (int i = 0; i < config.layers().size(); i++) {
      requireLike(rope, i);
    }
    put("rope.dimension_count", rope.dim());
    put("rope.freq_base", rope.theta());
    if (family.has(Trait.STATES)) {
      sections(rope.dim() / 2);
    }
    int period = config.layers().get(0).numbers().growthPeriod();
    if (period > 0) {
      put(ORIGINAL, period);
    }
    return scaling(rope);
  }

  /** Which of an image's positions, row and column turns which pair, in turn; of text they are one. */
  private void sections(int pairs) {
    into.put(family.id() + ".rope.dimension_sections", new long[] {(pairs + 2) / 3, (pairs + 1) / 3, pairs / 3, 0});
  }

  private void requireLike(Rope rope, int index) {
    LayerConfig layer = config.layers().get(index);
    if (layer.hasState()) {
      return;
    }
    boolean rotates = family != GgufFamily.SMOLLM3 || (index + 1) % UNROTATED != 0;
    require(layer.rope().isPresent() == rotates, "layer " + index + (rotates ? " rotates nothing" : " rotates"));
    if (layer.rope().isEmpty() || layer.rope().get().equals(rope)) {
      return;
    }
    require(family.has(Trait.WINDOWS) && layer.numbers().window() > 0 && layer.rope().get() instanceof DefaultRope,
        "layer " + index + " rotates otherwise than others");
    double theta = layer.rope().get().theta();
    require(family == GgufFamily.GEMMA3 || theta == rope.theta(), "layer " + index + " rotates by another base");
    put("rope.freq_base_swa", theta);
  }

  private List<Factors> scaling(Rope rope) {
    if (rope instanceof LinearRope linear) {
      type("linear", linear.factor());
    } else if (rope instanceof YarnRope yarn) {
      require(yarn.truncate(), "yarn with truncate = false");
      require(family.has(Trait.YARN_RAMP) || yarn.betaFast() == BETA_FAST && yarn.betaSlow() == BETA_SLOW,
          "yarn with another beta_fast than " + BETA_FAST + ", or another beta_slow than " + BETA_SLOW);
      type("yarn", yarn.factor());
      put(ORIGINAL, yarn.originalContextLength());
      double usual = 0.1 * Math.log(yarn.factor()) + 1;
      if (family.has(Trait.YARN_RAMP)) {
        put("rope.scaling.yarn_beta_fast", yarn.betaFast());
        put("rope.scaling.yarn_beta_slow", yarn.betaSlow());
      }
      if (family.has(Trait.YARN_RAMP) && usual > 1) {
        // llama.cpp divides the paper's factor by one with this before the logarithm; 0 says nothing.
        put("rope.scaling.yarn_log_multiplier", (usual / yarn.attentionFactor() - 1) / (usual - 1));
      } else {
        // llama.cpp multiplies this with the paper's factor.
        put("rope.scaling.attn_factor", yarn.attentionFactor() / usual);
      }
    } else if (rope instanceof Llama3Rope) {
      require(family.has(Trait.ROPE_TENSORS) && family != GgufFamily.PHI3, "rope_type llama3");
      float[] unscaled = new DefaultRope(rope.dim(), rope.theta()).frequencies(1);
      float[] frequencies = rope.frequencies(1);
      float[] factors = new float[unscaled.length];
      for (int i = 0; i < factors.length; i++) {
        factors[i] = unscaled[i] / frequencies[i];
      }
      return List.of(new Factors(FREQUENCIES, factors));
    } else if (rope instanceof LongRope longRope) {
      require(family.has(Trait.ROPE_TENSORS), "rope_type longrope");
      into.put(family.id() + ".rope.scaling.type", "longrope");
      put(ORIGINAL, longRope.originalContextLength());
      put("rope.scaling.attn_factor", longRope.attentionFactor());
      LOG.warn("{}: the model turns texts of more than {} tokens by other angles than shorter ones; llama.cpp takes those of long texts "
          + "for all where it is started with a longer context (-c)", into.source(), longRope.originalContextLength());
      return List.of(new Factors(LONG, floats(longRope.longFactors())), new Factors(SHORT, floats(longRope.shortFactors())));
    } else {
      require(!(rope instanceof DynamicRope), "rope_type dynamic");
    }
    return List.of();
  }

  private void type(String type, double factor) {
    into.put(family.id() + ".rope.scaling.type", type);
    put("rope.scaling.factor", factor);
  }

  private static float[] floats(List<Double> values) {
    float[] all = new float[values.size()];
    for (int i = 0; i < all.length; i++) {
      all[i] = values.get(i).floatValue();
    }
    return all;
  }

  private void put(String key, long value) {
    into.put(family.id() + "." + key, value);
  }

  private void put(String key, double value) {
    into.put(family.id() + "." + key, value);
  }
}
