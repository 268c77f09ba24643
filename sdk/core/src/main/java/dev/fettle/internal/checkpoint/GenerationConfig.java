package dev.fettle.internal.checkpoint;

import java.util.List;
import java.util.OptionalDouble;
import java.util.OptionalInt;

/**
 * What generation_config.json recommends for sampling; all of it optional. Recommendations only: the caller decides.
 *
 * @param bosId id that begins a text
 * @param eosIds ids that end a text; empty if the file does not say
 * @param doSample whether to draw at random; false is greedy
 * @param temperature above 0
 * @param topK at least 1; absent if the file says 0, which switches it off
 * @param topP above 0, at most 1
 */
public record GenerationConfig(
    OptionalInt bosId,
    List<Integer> eosIds,
    boolean doSample,
    OptionalDouble temperature,
    OptionalInt topK,
    OptionalDouble topP) {
  /** What an absent file says. */
  public static final GenerationConfig NONE =
      new GenerationConfig(
          OptionalInt.empty(), List.of(), false, OptionalDouble.empty(), OptionalInt.empty(), OptionalDouble.empty());

  public GenerationConfig {
    eosIds = List.copyOf(eosIds);
  }

  static GenerationConfig read(OpenFile file) {
    JsonFields fields = JsonFields.of(file);
    int topK = fields.integer("top_k", 0, Integer.MAX_VALUE, 0);
    double topP = fields.positive("top_p", 1);
    if (topP > 1) {
      throw fields.invalid("top_p", "must be at most 1");
    }
    double temperature = fields.number("temperature", 1);
    if (temperature < 0) {
      throw fields.invalid("temperature", "must be at least 0");
    }
    return new GenerationConfig(
        fields.optionalInteger("bos_token_id", 0, Integer.MAX_VALUE),
        fields.integers("eos_token_id", 0, Integer.MAX_VALUE),
        fields.bool("do_sample", false) && temperature > 0,
        fields.has("temperature") && temperature > 0 ? OptionalDouble.of(temperature) : OptionalDouble.empty(),
        topK > 0 ? OptionalInt.of(topK) : OptionalInt.empty(),
        fields.has("top_p") ? OptionalDouble.of(topP) : OptionalDouble.empty());
  }
}
