package dev.fettle.internal.model;

import dev.fettle.internal.checkpoint.JsonFields;
import java.util.List;
import java.util.Optional;

/**
 * A family of models: reads its {@code config.json} into the description of a network, rejects the settings that it does not
 * know by naming the key, and knows what its files call the weights. Another model is another class here, in
 * {@link Architectures}, and nothing else: all that is made of a model derives from its {@link ModelConfig}.
 */
public interface Architecture {
  /** What {@code model_type} says. */
  String type();

  /** The type of the decoder itself, where it is part of a model that does more. */
  default String decoder() {
    return type();
  }

  /** What its models are for. */
  default ModelConfig.Purpose purpose() {
    return ModelConfig.Purpose.CAUSAL_LM;
  }

  /** The class in {@code architectures} that saved models name. */
  String className();

  /**
   * The description of a model.
   *
   * @throws dev.fettle.InvalidInputException if a value is missing or wrong
   * @throws dev.fettle.UnsupportedModelException if a setting is not supported; names file, key and value
   */
  ModelConfig read(JsonFields config);

  /** The names that files may have for a weight, the likeliest first. */
  default List<String> namesInFiles(String weight) {
    return List.of(weight);
  }

  /** Where a weight stands in files that have several weights as one tensor. */
  default Optional<Stacked> stacked(String weight) {
    return Optional.empty();
  }

  /** Whether a tensor of a file, which is no weight of the description, may be left out. */
  default boolean ignores(String tensor) {
    // Old files carry what config.json gives.
    return tensor.endsWith(".rotary_emb.inv_freq");
  }

  /** Whether a tensor of a file belongs to something beside the network, which a saved model has unchanged. */
  default boolean isOther(String tensor) {
    return false;
  }

  /** Whether its norms take the mean off (LayerNorm), with or without a bias, rather than only divide (RMSNorm). */
  default boolean layerNorms() {
    return false;
  }

  /** What makes a score of a text's rows, of a model that is for that. */
  default Optional<ScoreHead> scoreHead() {
    return Optional.empty();
  }

  /** Where the names of weights would be without the prefix that this kind of model has, for errors. */
  default Optional<String> prefix() {
    return Optional.of("model.");
  }
}
