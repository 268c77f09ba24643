package dev.fettle.internal.model;

import dev.fettle.internal.checkpoint.JsonFields;
import dev.fettle.internal.checkpoint.Pooling;
import dev.fettle.internal.checkpoint.VectorModule.Dense.Activation;
import dev.fettle.internal.json.ObjectNode;
import dev.fettle.internal.model.LayerConfig.Linear;
import dev.fettle.internal.model.LayerConfig.Norm;
import dev.fettle.internal.model.LayerConfig.Part;
import dev.fettle.internal.model.OuterWeight.Place;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * ModernBERT (Warner et al. 2024): norms before the parts, rotated positions, a gated MLP, and layers that see all of a text
 * among others that see a window to both sides, which rotate by another base.
 */
final class ModernBert extends Encoder {
  private static final String FULL = DecoderFields.FULL;
  private static final String SLIDING = DecoderFields.SLIDING;
  private static final double FULL_THETA = 160_000;
  private static final double SLIDING_THETA = 10_000;
  private static final Map<String, Activation> HEAD_ACTIVATIONS = Map.of("gelu", Activation.GELU, "relu", Activation.RELU,
      "tanh", Activation.TANH, "silu", Activation.SILU, "sigmoid", Activation.SIGMOID);

  ModernBert() {
    super("modernbert", "ModernBertModel", "model.", List.of("head.", "decoder.", "classifier.", "qa_outputs."));
  }

  @Override
  ScoreHead scoreHead(JsonFields config, int hidden, int labels) {
    String activation = config.string("classifier_activation").orElse("gelu");
    if (!HEAD_ACTIVATIONS.containsKey(activation)) {
      throw config.unsupported("classifier_activation", "the activations are "
          + String.join(", ", HEAD_ACTIVATIONS.keySet().stream().sorted().toList()));
    }
    String pooling = config.string("classifier_pooling").orElse("cls");
    if (!pooling.equals("cls") && !pooling.equals("mean")) {
      throw config.unsupported("classifier_pooling", "it is cls or mean");
    }
    return ScoreHead.of(pooling.equals("cls") ? Pooling.Mode.CLS : Pooling.Mode.MEAN, HEAD_ACTIVATIONS.get(activation), labels,
        hidden, "head.dense", "classifier")
        .normed(hidden, "head.norm", config.bool("classifier_bias", false), config.bool("norm_bias", false));
  }

  @Override
  public ModelConfig read(JsonFields config) {
    EncoderFields e = new EncoderFields(this, config, Bert.KEYS, 768, 12, 22, 1152, 50368).padding(50283);
    if (e.headDim() % 2 != 0) {
      throw config.invalid("num_attention_heads", "must give heads of an even size (here " + e.headDim() + ")");
    }
    int context = config.integer("max_position_embeddings", 1, 1 << 24, 8192);
    boolean normBias = config.bool("norm_bias", false);
    double eps = config.positive("norm_eps", 1e-5);
    // Half to each side, and the token itself.
    int window = config.integer("local_attention", 0, 1 << 24, 128) / 2 + 1;
    Rope full = rope(config, FULL, config.positive("global_rope_theta", FULL_THETA), context, e.headDim());
    Rope sliding = rope(config, SLIDING, slidingTheta(config), context, e.headDim());
    LayerNumbers.Activation activation = e.activation("hidden_activation");
    List<LayerConfig> layers = new ArrayList<>();
    List<String> types = types(config, e.layers);
    for (int i = 0; i < e.layers; i++) {
      boolean slides = types.get(i).equals(SLIDING);
      LayerNumbers numbers = new LayerNumbers(e.heads, e.heads, slides ? window : 0, EncoderFields.TILE, EncoderFields.SCORES,
          false, true, activation, eps, 1 / Math.sqrt((double) e.headDim()), 1);
      layers.add(new LayerConfig("layers." + i + ".", parts(e, i > 0, normBias), numbers, e.headDim(),
          Optional.of(slides ? sliding : full)));
    }
    List<OuterWeight> embeddings = new ArrayList<>(List.of(e.embedding("embeddings.tok_embeddings.weight"),
        OuterWeight.vector(Place.EMBEDDING_NORM, "embeddings.norm.weight", e.hidden)));
    List<OuterWeight> outputs = new ArrayList<>(List.of(OuterWeight.vector(Place.FINAL_NORM, "final_norm.weight", e.hidden)));
    if (normBias) {
      embeddings.add(OuterWeight.vector(Place.EMBEDDING_NORM_BIAS, "embeddings.norm.bias", e.hidden));
      outputs.add(OuterWeight.vector(Place.FINAL_NORM_BIAS, "final_norm.bias", e.hidden));
    }
    return e.model(layers, eps, embeddings, outputs, context);
  }

  private static List<Part> parts(EncoderFields e, boolean attentionNorm, boolean normBias) {
    boolean attentionBias = e.fields.bool("attention_bias", false);
    boolean mlpBias = e.fields.bool("mlp_bias", false);
    List<Part> parts = new ArrayList<>();
    if (attentionNorm) {
      parts.add(new Norm(LayerVector.ATTENTION_NORM, "attn_norm", e.hidden, normBias));
    }
    parts.add(new Linear(Product.QKV, "attn.Wqkv", e.hidden, 3 * e.hidden, attentionBias));
    parts.add(new Linear(Product.O, "attn.Wo", e.hidden, e.hidden, attentionBias));
    parts.add(new Norm(LayerVector.MLP_NORM, "mlp_norm", e.hidden, normBias));
    parts.add(new Linear(Product.GATE_UP, "mlp.Wi", e.hidden, 2 * e.intermediate, mlpBias));
    parts.add(new Linear(Product.DOWN, "mlp.Wo", e.intermediate, e.hidden, mlpBias));
    return parts;
  }

  /** What each layer sees: given by name, or all of a text every so many layers, from the first on. */
  private static List<String> types(JsonFields config, int layers) {
    Optional<List<String>> given = DecoderFields.attentionTypes(config, layers);
    if (given.isPresent()) {
      return given.get();
    }
    int every = config.integer("global_attn_every_n_layers", 1, 1 << 24, 3);
    List<String> types = new ArrayList<>();
    for (int i = 0; i < layers; i++) {
      types.add(i % every == 0 ? FULL : SLIDING);
    }
    return types;
  }

  /** Where the file says null, that of the other layers. */
  private static double slidingTheta(JsonFields config) {
    boolean none = config.mentions("local_rope_theta") && !config.has("local_rope_theta");
    return none ? config.positive("global_rope_theta", FULL_THETA) : config.positive("local_rope_theta", SLIDING_THETA);
  }

  /** The rotation of one kind of layers, which rope_parameters gives by the kind's name. */
  private static Rope rope(JsonFields config, String kind, double theta, int context, int headDim) {
    ObjectNode own = new ObjectNode().put("rope_theta", theta);
    config.object("rope_parameters").ifPresent(kinds -> {
      kinds.keys().stream().filter(key -> !key.equals(FULL) && !key.equals(SLIDING)).forEach(key -> {
        throw kinds.unsupported(key, "the rotation is given for " + FULL + " and " + SLIDING);
      });
      kinds.object(kind).ifPresent(fields -> fields.keys().forEach(key -> own.set(key, fields.node(key))));
    });
    config.object("rope_scaling").ifPresent(fields -> fields.keys().forEach(key -> own.set(key, fields.node(key))));
    ObjectNode whole = new ObjectNode();
    whole.set("rope_parameters", own);
    return new RopeReader(new JsonFields(whole, config.source()), context, headDim).read();
  }
}
