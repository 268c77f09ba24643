package dev.fettle.internal.gguf;

import dev.fettle.UnsupportedModelException;
import dev.fettle.internal.gguf.GgufFamily.Trait;
import dev.fettle.internal.model.LayerConfig;
import dev.fettle.internal.model.LayerConfig.Linear;
import dev.fettle.internal.model.LayerNumbers;
import dev.fettle.internal.model.LayerNumbers.Activation;
import dev.fettle.internal.model.LayerNumbers.Delta;
import dev.fettle.internal.model.ModelConfig;
import dev.fettle.internal.model.Product;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.IntStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Puts a model's description into a GGUF's metadata, and rejects what llama.cpp would compute in another way. */
public final class ModelMetadata {
  private static final Logger LOG = LoggerFactory.getLogger(ModelMetadata.class);
  private static final String PATTERN = "attention.sliding_window_pattern";
  /** What is added to the squares of a key in a layer with a state. */
  private static final double STATE_EPS = 1e-6;

  private final ModelConfig config;
  private final GgufFamily family;
  private final Metadata into;
  private final LayerConfig first;

  private ModelMetadata(ModelConfig config, GgufFamily family, Metadata into) {
    this.config = config;
    this.family = family;
    this.into = into;
    this.first = config.layers().get(0);
  }

  /**
   * Describes a causal language model.
   *
   * @return what is to stand in the file beside the weights: angles of its rotation, by the tensors' names
   * @throws UnsupportedModelException if llama.cpp has no such model; names what it lacks
   */
  public static List<RopeMetadata.Factors> put(ModelConfig config, GgufFamily family, Metadata into) {
    ModelMetadata writer = new ModelMetadata(config, family, into);
    writer.requireExpressible();
    writer.sizes();
    writer.windows();
    writer.numbers();
    if (family.has(Trait.STATES)) {
      writer.states();
    }
    return RopeMetadata.put(config, family, into);
  }

  private UnsupportedModelException unknown(String what) {
    return new UnsupportedModelException(into.source() + ": " + what + ", which llama.cpp does not know of " + family.id()
        + " models: the file would give other answers than the model");
  }

  private void require(boolean known, String what) {
    if (!known) {
      throw unknown(what);
    }
  }

  private void requireExpressible() {
    LayerNumbers n = first.numbers();
    require(config.tiedEmbeddings() || !family.has(Trait.ALWAYS_TIED), "an output embedding of its own");
    for (LayerConfig layer : config.layers()) {
      requireBiases(layer);
      require(layer.hasExperts() == first.hasExperts() && layer.products().equals(first.products()),
          "layers with experts among layers without");
    }
    require(!family.has(Trait.HEADS_FILL) || first.queryWidth() == config.hiddenSize(),
        "attention of another width (" + first.queryWidth() + ") than the model's (" + config.hiddenSize() + ")");
    require(!family.has(Trait.KEYS_FOR_EACH) || n.heads() == n.kvHeads(), "fewer heads of keys than of queries");
    if (n.experts().count() > 0) {
      require(n.experts().normalised() == family.has(Trait.NORMALISED_EXPERTS), "norm_topk_prob = " + n.experts().normalised());
    }
    require(n.activation() == (family.has(Trait.OF_GEMMAS) ? Activation.GELU_TANH : Activation.SILU), "the activation " + n.activation());
    require(n.growthPeriod() == 0 || family.has(Trait.GROWTH), "queries that grow with the position");
    requireNumbers(n);
    if (family.has(Trait.STATES)) {
      requireStates(n);
    }
  }

  private void requireBiases(LayerConfig layer) {
    for (Linear linear : layer.linears()) {
      boolean known = switch (linear.product()) {
        case QKV -> family.has(Trait.QKV_BIAS) || family.has(Trait.BIASES);
        case O -> family.has(Trait.BIASES);
        case GATE_UP, DOWN -> family.has(Trait.MLP_BIASES);
        default -> false;
      };
      require(known || !linear.bias(), "a bias in " + layer.module(linear));
    }
  }

  private void requireStates(LayerNumbers n) {
    require(n.eps() == STATE_EPS, "rms_norm_eps = " + n.eps() + " (it takes that for the norm of states' keys too, which is " + STATE_EPS
        + ")");
    Delta delta = config.layers().stream().map(l -> l.numbers().delta()).filter(d -> d != Delta.NONE).findFirst()
        .orElseThrow(() -> unknown("no layer with linear attention"));
    require(delta.keyDim() == delta.valueDim(), "heads of " + delta.valueDim() + " numbers for values and " + delta.keyDim() + " for keys");
  }

  private void requireNumbers(LayerNumbers n) {
    if (family.has(Trait.SOFT_CAPS)) {
      require(n.softCap() > 0 && config.numbers().logitCap() > 0, "a model without soft caps");
    } else {
      require(n.softCap() == 0, "a soft cap on attention scores");
      require(config.numbers().logitCap() == 0 || family.has(Trait.LOGIT_CAP), "a soft cap on logits");
    }
    if (!family.has(Trait.MULTIPLIERS)) {
      double usual = usualScale();
      require(Math.abs(n.scale() / usual - 1) < 1e-6, "attention scores times " + n.scale() + " (llama.cpp's is " + usual + ")");
      double embedding = family.has(Trait.OF_GEMMAS) ? Math.sqrt(config.hiddenSize()) : 1;
      require(Math.abs(config.numbers().embeddingScale().value() / embedding - 1) < 1e-6 && n.residual() == 1
          && config.numbers().logitDivisor() == 1, "multipliers");
    }
  }

  /** llama.cpp tells the Gemmas of 27 billion weights, whose scores are scaled otherwise, by their layers. */
  private double usualScale() {
    int layers = config.layers().size();
    boolean large = family == GgufFamily.GEMMA2 && layers == 46 || family == GgufFamily.GEMMA3 && layers == 62;
    return 1 / Math.sqrt(large ? config.hiddenSize() / first.numbers().heads() : first.headDim());
  }

  private void sizes() {
    LayerNumbers n = first.numbers();
    put("block_count", config.layers().size());
    put("context_length", config.contextLength());
    put("embedding_length", config.hiddenSize());
    put("vocab_size", config.vocabSize());
    put("attention.head_count", n.heads());
    put("attention.head_count_kv", n.kvHeads());
    put("attention.key_length", first.headDim());
    put("attention.value_length", first.headDim());
    put("attention.layer_norm_rms_epsilon", n.eps());
    if (n.experts().count() > 0) {
      int width = first.linears(Product.EXPERTS_DOWN).get(0).inputs();
      put("expert_count", n.experts().count());
      put("expert_used_count", n.experts().perToken());
      put("expert_feed_forward_length", width);
      put("feed_forward_length", width);
    } else {
      put("feed_forward_length", first.inputs(Product.DOWN));
    }
  }

  private void numbers() {
    LayerNumbers n = first.numbers();
    if (family.has(Trait.SOFT_CAPS)) {
      put("attn_logit_softcapping", n.softCap());
      put("final_logit_softcapping", config.numbers().logitCap());
    }
    if (family.has(Trait.LOGIT_CAP) && config.numbers().logitCap() > 0) {
      put("final_logit_softcapping", config.numbers().logitCap());
      LOG.warn("{}: older versions of llama.cpp do not heed that logits of {} models are capped", into.source(), family.id());
    }
    if (n.growthPeriod() > 0) {
      // The positions after which queries grow are the original context, which stands with the rotation.
      put("attention.temperature_scale", n.growth());
    }
    if (family.has(Trait.MULTIPLIERS)) {
      put("attention.scale", n.scale());
      put("residual_scale", n.residual());
      put("embedding_scale", config.numbers().embeddingScale().value());
      put("logit_scale", config.numbers().logitDivisor());
    }
  }

  private void states() {
    List<Boolean> states = config.layers().stream().map(LayerConfig::hasState).toList();
    Delta delta = config.layers().get(states.indexOf(true)).numbers().delta();
    put("ssm.conv_kernel", delta.width());
    put("ssm.state_size", delta.keyDim());
    put("ssm.group_count", delta.keyHeads());
    put("ssm.time_step_rank", delta.valueHeads());
    put("ssm.inner_size", delta.values());
    int interval = states.indexOf(false) + 1;
    if (interval > 0 && IntStream.range(0, states.size()).allMatch(i -> states.get(i) == ((i + 1) % interval != 0))) {
      put("full_attention_interval", interval);
    }
    each("attention.recurrent_layers", states);
  }

  private void windows() {
    List<Integer> windows = config.layers().stream().map(layer -> layer.numbers().window()).toList();
    OptionalInt window = windows.stream().filter(w -> w > 0).mapToInt(w -> w).findFirst();
    if (window.isEmpty()) {
      if (family == GgufFamily.PHI3) {
        // Some versions of llama.cpp do not load a Phi 3 that does not say so.
        put("attention.sliding_window", 0);
      }
      return;
    }
    if (!family.has(Trait.WINDOWS)) {
      // What llama.cpp's own converter leaves out is noted for other readers, and for the way back.
      put("attention.sliding_window", window.getAsInt());
      if (window.getAsInt() < config.contextLength()) {
        LOG.warn("{}: llama.cpp sees all tokens where the model sees the last {} in some layers: it may answer otherwise after "
            + "longer texts", into.source(), window.getAsInt());
      }
      if (windows.contains(0)) {
        each(PATTERN, windows.stream().map(w -> w > 0).toList());
      }
      return;
    }
    put("attention.sliding_window", window.getAsInt());
    int period = windows.indexOf(0) + 1;
    boolean periodic = period > 0
        && IntStream.range(0, windows.size()).allMatch(i -> windows.get(i) > 0 == ((i + 1) % period != 0));
    if (periodic || period == 0 && windows.size() < 2) {
      put(PATTERN, periodic ? period : 2);
    } else {
      each(PATTERN, windows.stream().map(w -> w > 0).toList());
    }
  }

  private void each(String key, List<Boolean> layers) {
    boolean[] all = new boolean[layers.size()];
    for (int i = 0; i < all.length; i++) {
      all[i] = layers.get(i);
    }
    into.put(family.id() + "." + key, all);
  }

  private void put(String key, long value) {
    into.put(family.id() + "." + key, value);
  }

  private void put(String key, double value) {
    into.put(family.id() + "." + key, value);
  }
}
