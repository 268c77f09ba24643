package dev.fettle.internal.model;

import dev.fettle.internal.checkpoint.JsonFields;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** What the families of encoders have in common: files with or without a prefix, and parts that no embedding needs. */
abstract class Encoder implements Architecture {
  private final String type;
  private final String className;
  private final String prefix;
  private final List<String> extras;

  /**
   * A family.
   *
   * @param type what {@code model_type} says
   * @param className the class of the bare model
   * @param prefix what stands before the names of its weights in the files of models with a head
   * @param extras beginnings of names, without the prefix, that the encoder does not need
   */
  Encoder(String type, String className, String prefix, List<String> extras) {
    this.type = type;
    this.className = className;
    this.prefix = prefix;
    this.extras = extras;
  }

  /** The head by which it classifies, of a width and with so many labels. */
  abstract ScoreHead scoreHead(JsonFields config, int hidden, int labels);

  /** What stands before its weights in the files of models with a head. */
  final String filePrefix() {
    return prefix;
  }

  @Override
  public final String type() {
    return type;
  }

  @Override
  public final ModelConfig.Purpose purpose() {
    return ModelConfig.Purpose.EMBEDDING;
  }

  @Override
  public final String className() {
    return className;
  }

  /** With or without the prefix, and with gamma and beta for the norms, as the first BERT files have it. */
  @Override
  public final List<String> namesInFiles(String weight) {
    String old = weight.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta");
    return Stream.of(weight, prefix + weight, old, prefix + old).distinct().toList();
  }

  @Override
  public final boolean ignores(String tensor) {
    String bare = tensor.startsWith(prefix) ? tensor.substring(prefix.length()) : tensor;
    return extras.stream().anyMatch(bare::startsWith);
  }

  @Override
  public final boolean layerNorms() {
    return true;
  }

  @Override
  public final Optional<String> prefix() {
    return Optional.empty();
  }
}
