package dev.fettle.internal.model;

import dev.fettle.internal.checkpoint.JsonFields;
import dev.fettle.internal.checkpoint.OpenFile;
import dev.fettle.internal.checkpoint.StoredType;
import dev.fettle.internal.checkpoint.StrictJson;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.OptionalInt;

/**
 * What config.json says about a model, with transformers' defaults filled in; immutable. Whatever in the file would
 * change the mathematics and is not one of these fields has been refused by name.
 *
 * @param architecture {@code llama}, {@code mistral}, {@code qwen2} or {@code qwen3}; or {@code bert}, an encoder
 * @param vocabSize rows of the embedding
 * @param hiddenSize width of the residual stream
 * @param intermediateSize inner width of the gated MLP
 * @param layers number of decoder layers
 * @param heads query heads
 * @param keyValueHeads key and value heads; divides heads
 * @param headDim numbers per head, even; heads * headDim need not be hiddenSize
 * @param rmsNormEps added to the mean square in each norm; in an encoder to the variance
 * @param rope rotary position embedding; of no meaning in an encoder, whose positions are embedded
 * @param slidingWindows for each layer how many positions a token sees, itself included; 0 = all before it
 * @param queryKeyValueBias whether q_proj, k_proj and v_proj have a bias
 * @param outputBias whether o_proj has a bias
 * @param mlpBias whether gate_proj, up_proj and down_proj have a bias
 * @param queryKeyNorm whether queries and keys are normalised per head before the rotation
 * @param tiedEmbeddings whether the output layer is the embedding
 * @param contextLength positions that the model is made for
 * @param storedType number type that the file says its weights have; the weights themselves decide
 * @param bosId id that begins a text, if any
 * @param eosIds ids that end a text, maybe none
 * @param segments kinds of segments that an encoder embeds; 0 in a decoder
 */
public record ModelConfig(
    String architecture,
    int vocabSize,
    int hiddenSize,
    int intermediateSize,
    int layers,
    int heads,
    int keyValueHeads,
    int headDim,
    double rmsNormEps,
    Rope rope,
    List<Integer> slidingWindows,
    boolean queryKeyValueBias,
    boolean outputBias,
    boolean mlpBias,
    boolean queryKeyNorm,
    boolean tiedEmbeddings,
    int contextLength,
    StoredType storedType,
    OptionalInt bosId,
    List<Integer> eosIds,
    int segments) {

  public ModelConfig {
    Objects.requireNonNull(architecture, "architecture");
    Objects.requireNonNull(rope, "rope");
    Objects.requireNonNull(storedType, "storedType");
    Objects.requireNonNull(bosId, "bosId");
    slidingWindows = List.copyOf(slidingWindows);
    eosIds = List.copyOf(eosIds);
  }

  /**
   * Reads a config.json as transformers 4 or 5 writes it.
   *
   * @throws dev.fettle.InvalidInputException if a value is missing or wrong
   * @throws dev.fettle.UnsupportedModelException if a setting is not supported; names file, key and value
   */
  public static ModelConfig parse(Path file) {
    return ModelConfigReader.read(new JsonFields(StrictJson.read(file), file.toString()));
  }

  /** The same of an open file. */
  public static ModelConfig parse(OpenFile file) {
    return ModelConfigReader.read(JsonFields.of(file));
  }

  /** Reads the text of a config.json; source names it in errors. */
  public static ModelConfig parse(String json, String source) {
    return ModelConfigReader.read(new JsonFields(StrictJson.parse(json, source), source));
  }

  /** Numbers in all queries of one token: heads * headDim. */
  public int queryWidth() {
    return heads * headDim;
  }

  /** Numbers in all keys of one token: keyValueHeads * headDim. */
  public int keyValueWidth() {
    return keyValueHeads * headDim;
  }

  /** The same with another answer to whether the output layer is the embedding. */
  public ModelConfig withTiedEmbeddings(boolean tied) {
    return new ModelConfig(
        architecture, vocabSize, hiddenSize, intermediateSize, layers, heads, keyValueHeads, headDim, rmsNormEps, rope,
        slidingWindows, queryKeyValueBias, outputBias, mlpBias, queryKeyNorm, tied, contextLength, storedType, bosId,
        eosIds, segments);
  }

  /** Whether it is an encoder, which reads whole texts and predicts no next token. */
  public boolean encoder() {
    return segments > 0;
  }

  /** The same with a bias in every linear layer. */
  public ModelConfig withBiases() {
    return new ModelConfig(
        architecture, vocabSize, hiddenSize, intermediateSize, layers, heads, keyValueHeads, headDim, rmsNormEps, rope,
        slidingWindows, true, true, true, queryKeyNorm, tiedEmbeddings, contextLength, storedType, bosId, eosIds, segments);
  }

  @Override
  public String toString() {
    return "ModelConfig[" + architecture + ", " + layers + " layers of " + hiddenSize + "]";
  }
}
