package dev.fettle.internal.model;

import dev.fettle.internal.checkpoint.JsonFields;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** A family of decoders whose rows become vectors of texts: without an output embedding, its files with or without a prefix. */
final class DecoderAsEncoder implements Architecture {
  private static final String HEAD_CLASS = "ForCausalLM";
  private static final String GEMMA = "use_bidirectional_attention";
  private final Architecture decoder;

  DecoderAsEncoder(Architecture decoder) {
    this.decoder = decoder;
  }

  /** Whether a config.json names the bare network of a family. */
  static boolean isNamed(JsonFields config, Architecture decoder) {
    List<String> classes = config.strings("architectures");
    return takes(decoder) && !classes.isEmpty() && classes.stream().allMatch(bare(decoder)::equals);
  }

  /** Whether it is the language model itself, not one within another. */
  static boolean takes(Architecture family) {
    return family.purpose() != ModelConfig.Purpose.CAUSAL_LM || family.className().endsWith(HEAD_CLASS);
  }

  private static String bare(Architecture decoder) {
    return decoder.className().replace(HEAD_CLASS, decoder.type().endsWith("_text") ? "TextModel" : "Model");
  }

  @Override
  public String type() {
    return decoder.type();
  }

  @Override
  public ModelConfig.Purpose purpose() {
    return ModelConfig.Purpose.EMBEDDING;
  }

  @Override
  public String className() {
    return bare(decoder);
  }

  @Override
  public ModelConfig read(JsonFields config) {
    // transformers lets any decoder see whole texts by the first of these keys, and Gemma 3 by the second.
    boolean wide = decoder.type().startsWith("gemma3") && config.bool(GEMMA, false);
    boolean causal = config.bool("is_causal", true) && !wide;
    JsonFields rest = (isNamed(config, decoder) ? config.without("architectures") : config).without("is_causal");
    ModelConfig whole = decoder.read(wide ? rest.without(GEMMA) : rest);
    if (!causal && whole.layers().stream().anyMatch(layer -> layer.numbers().softCap() != 0)) {
      throw config.unsupported("is_causal", "attention whose scores are capped sees backwards alone");
    }
    return new ModelConfig(this, whole.vocabSize(), whole.hiddenSize(), whole.contextLength(), whole.numbers(),
        whole.embeddings().stream().map(this::bare).toList(),
        whole.layers().stream().map(l -> new LayerConfig(bare(l.path()), l.parts(),
            causal ? l.numbers() : l.numbers().bidirectional(toEach(l.numbers().window(), wide)), l.headDim(), l.rope())).toList(),
        whole.outputs().stream().filter(w -> w.place() != OuterWeight.Place.HEAD).map(this::bare).toList(),
        whole.storedType(), whole.bosId(), whole.eosIds());
  }

  /** How far a token sees to each side, itself included: as far as backwards, and in Gemma 3 half as far. */
  private static int toEach(int window, boolean half) {
    return window == 0 ? 0 : (half ? window / 2 : window) + 1;
  }

  private OuterWeight bare(OuterWeight w) {
    return new OuterWeight(w.place(), bare(w.name()), w.rows(), w.columns());
  }

  private String bare(String name) {
    return decoder.prefix().filter(name::startsWith).map(prefix -> name.substring(prefix.length())).orElse(name);
  }

  @Override
  public List<String> namesInFiles(String weight) {
    return Stream.concat(Stream.of(weight), decoder.namesInFiles(decoder.prefix().orElse("") + weight).stream()).distinct().toList();
  }

  @Override
  public boolean ignores(String tensor) {
    return tensor.startsWith(OuterWeight.HEAD_MODULE + ".") || decoder.ignores(tensor);
  }

  @Override
  public boolean layerNorms() {
    return decoder.layerNorms();
  }

  @Override
  public Optional<String> prefix() {
    return Optional.empty();
  }
}
