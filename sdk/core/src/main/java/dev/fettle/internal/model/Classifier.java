package dev.fettle.internal.model;

import dev.fettle.internal.checkpoint.JsonFields;
import dev.fettle.internal.checkpoint.Pooling;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** A family whose rows are read by a classifier: transformers' {@code ForSequenceClassification}. */
final class Classifier implements Architecture {
  private static final String ENDING = "ForSequenceClassification";
  private final Architecture inner;
  private final String prefix;
  private final ScoreHead head;

  private Classifier(Architecture inner, String prefix, ScoreHead head) {
    this.inner = inner;
    this.prefix = prefix;
    this.head = head;
  }

  /** Whether a config.json names the classifier of a family. */
  static boolean isNamed(JsonFields config, Architecture family) {
    return config.strings("architectures").contains(className(family));
  }

  private static String className(Architecture family) {
    String text = family.type().endsWith("_text") ? "Text" : "";
    return family.className().replace("ForCausalLM", text).replaceAll("Model$", "") + ENDING;
  }

  /** The classifier of a family, as a config.json has it. */
  static Classifier of(Architecture family, JsonFields config) {
    int labels = ScoreHead.labels(config);
    Architecture inner = family instanceof Encoder ? family : new DecoderAsEncoder(family);
    int hidden = inner.read(config.without("architectures")).hiddenSize();
    ScoreHead head = family instanceof Encoder encoder ? encoder.scoreHead(config, hidden, labels)
        : ScoreHead.plain(Pooling.Mode.LAST, labels, hidden, "score");
    return new Classifier(inner, family instanceof Encoder encoder ? encoder.filePrefix() : family.prefix().orElse(""), head);
  }

  @Override
  public String type() {
    return inner.type();
  }

  @Override
  public ModelConfig.Purpose purpose() {
    return ModelConfig.Purpose.SCORING;
  }

  @Override
  public String className() {
    return className(inner);
  }

  @Override
  public Optional<ScoreHead> scoreHead() {
    return Optional.of(head);
  }

  @Override
  public ModelConfig read(JsonFields config) {
    ModelConfig bare = inner.read(config.without("architectures"));
    List<OuterWeight> outputs = new ArrayList<>(bare.outputs().stream().map(this::named).toList());
    outputs.addAll(head.weights());
    return new ModelConfig(this, bare.vocabSize(), bare.hiddenSize(), bare.contextLength(), bare.numbers(),
        bare.embeddings().stream().map(this::named).toList(),
        bare.layers().stream().map(l -> new LayerConfig(prefix + l.path(), l.parts(), l.numbers(), l.headDim(), l.rope())).toList(),
        outputs, bare.storedType(), bare.bosId(), bare.eosIds());
  }

  private OuterWeight named(OuterWeight w) {
    return new OuterWeight(w.place(), prefix + w.name(), w.rows(), w.columns());
  }

  @Override
  public List<String> namesInFiles(String weight) {
    return weight.startsWith(prefix)
        ? Stream.concat(Stream.of(weight), inner.namesInFiles(weight.substring(prefix.length())).stream()).distinct().toList()
        : List.of(weight);
  }

  @Override
  public boolean ignores(String tensor) {
    return inner.ignores(tensor);
  }

  @Override
  public boolean layerNorms() {
    return inner.layerNorms();
  }

  @Override
  public Optional<String> prefix() {
    return Optional.empty();
  }
}
