package dev.fettle.internal.model;

import dev.fettle.internal.checkpoint.JsonFields;
import dev.fettle.internal.checkpoint.OpenFile;
import dev.fettle.internal.checkpoint.QuantisationScheme;
import dev.fettle.internal.checkpoint.StoredType;
import dev.fettle.internal.checkpoint.StrictJson;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.OptionalInt;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

/**
 * The description of a network: what it is made of, layer by layer, with the names that its files use. Whatever in
 * {@code config.json} would change the mathematics and is not here has been rejected by its {@link Architecture}. Immutable.
 *
 * @param architecture the family
 * @param vocabSize rows of the embedding
 * @param hiddenSize width of the residual stream
 * @param contextLength positions that the model is made for
 * @param numbers what is outside the layers
 * @param embeddings the weights before the layers
 * @param layers in order
 * @param outputs the weights after the layers, but for an output embedding that is the input embedding
 * @param storedType number type that the file says its weights have; the weights themselves decide
 * @param bosId id that begins a text, if any
 * @param eosIds ids that end a text, maybe none
 */
public record ModelConfig(Architecture architecture, int vocabSize, int hiddenSize, int contextLength,
    OuterNumbers numbers, List<OuterWeight> embeddings, List<LayerConfig> layers, List<OuterWeight> outputs, StoredType storedType,
    OptionalInt bosId, List<Integer> eosIds) {

  /** What a network is for. */
  public enum Purpose {
    /** Predicts the next token. */
    CAUSAL_LM,
    /** Reads whole texts and gives each a vector. */
    EMBEDDING,
    /** Reads a query and a text together and gives the text a score. */
    SCORING
  }

  public ModelConfig {
    Objects.requireNonNull(architecture, "architecture");
    Objects.requireNonNull(storedType, "storedType");
    Objects.requireNonNull(bosId, "bosId");
    embeddings = List.copyOf(embeddings);
    layers = List.copyOf(layers);
    outputs = List.copyOf(outputs);
    eosIds = List.copyOf(eosIds);
  }

  /**
   * Reads a config.json as transformers 4 or 5 writes it.
   *
   * @throws dev.fettle.InvalidInputException if a value is missing or wrong
   * @throws dev.fettle.UnsupportedModelException if a setting is not supported; names file, key and value
   */
  public static ModelConfig parse(Path file) {
    return of(JsonFields.of(file));
  }

  /** The same of an open file. */
  public static ModelConfig parse(OpenFile file) {
    return of(JsonFields.of(file));
  }

  /** Reads the text of a config.json; source names it in errors. */
  public static ModelConfig parse(String json, String source) {
    return of(new JsonFields(StrictJson.parse(json, source), source));
  }

  /** Reads the fields of a config.json. */
  public static ModelConfig of(JsonFields config) {
    return of(config, false);
  }

  /** The same; a decoder becomes an encoder where the files beside it say that it embeds texts. */
  public static ModelConfig of(JsonFields config, boolean embeds) {
    QuantisationScheme.of(config);
    JsonFields dense = config.has(QuantisationScheme.KEY) ? config.without(QuantisationScheme.KEY) : config;
    return Architectures.of(dense, embeds).read(dense);
  }

  /** What it is for. */
  public Purpose purpose() {
    return architecture.purpose();
  }

  /** What the norms outside the layers add to mean squares. */
  public double eps() {
    return numbers.eps();
  }

  /** Whether it predicts tokens. */
  public boolean isCausalLm() {
    return architecture.purpose() == Purpose.CAUSAL_LM;
  }

  /** Whether the output embedding is the input embedding. */
  public boolean tiedEmbeddings() {
    return isCausalLm() && outputs.stream().noneMatch(w -> w.place() == OuterWeight.Place.HEAD);
  }

  /** The first row of the table of positions that a token can have; the one before it is that of the padding token. */
  public int firstPosition() {
    return embeddings.stream().filter(w -> w.place() == OuterWeight.Place.POSITIONS)
        .mapToInt(w -> (int) w.rows() - contextLength).findFirst().orElse(0);
  }

  /** Whether it has a weight outside the layers. */
  public boolean has(OuterWeight.Place place) {
    return Stream.concat(embeddings.stream(), outputs.stream()).anyMatch(w -> w.place() == place);
  }

  /** The same with an output embedding of its own. */
  public ModelConfig untied() {
    if (!tiedEmbeddings()) {
      return this;
    }
    List<OuterWeight> more = new ArrayList<>(outputs);
    more.add(OuterWeight.head(vocabSize, hiddenSize));
    return new ModelConfig(architecture, vocabSize, hiddenSize, contextLength, numbers, embeddings, layers, more,
        storedType, bosId, eosIds);
  }

  /** The same with a bias in every linear layer. */
  public ModelConfig withBiases() {
    return withLayers(LayerConfig::withBiases);
  }

  /** Whether a linear layer has a bias. */
  public boolean hasBiases() {
    return layers.stream().flatMap(layer -> layer.linears().stream()).anyMatch(LayerConfig.Linear::bias);
  }

  /** Whether layers have a mixture of experts. */
  public boolean hasExperts() {
    return layers.stream().anyMatch(LayerConfig::hasExperts);
  }

  private ModelConfig withLayers(UnaryOperator<LayerConfig> change) {
    return new ModelConfig(architecture, vocabSize, hiddenSize, contextLength, numbers, embeddings,
        layers.stream().map(change).toList(), outputs, storedType, bosId, eosIds);
  }

  @Override
  public String toString() {
    return "ModelConfig[" + architecture.type() + ", " + layers.size() + " layers of " + hiddenSize + "]";
  }
}
