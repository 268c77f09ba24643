package dev.fettle.internal.checkpoint;

import dev.fettle.internal.json.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What generation_config.json says that counts here: where a text ends. How to draw is for whoever samples to choose, so that
 * what the file recommends to other programs is neither read nor checked.
 *
 * @param eosIds ids that end a text; empty if the file does not say
 */
public record GenerationConfig(List<Integer> eosIds) {
  /** What an absent file says. */
  public static final GenerationConfig NONE = new GenerationConfig(List.of());

  private static final Logger LOG = LoggerFactory.getLogger(GenerationConfig.class);
  private static final String FILE = "generation_config.json";
  private static final String EOS = "eos_token_id";

  public GenerationConfig {
    eosIds = List.copyOf(eosIds);
  }

  /** That of a model's files. */
  public static GenerationConfig in(OpenDirectory files) {
    return files.find(FILE).map(GenerationConfig::read).orElse(NONE);
  }

  private static GenerationConfig read(OpenFile file) {
    JsonFields fields = JsonFields.of(file);
    if (!fields.has(EOS)) {
      return NONE;
    }
    JsonNode value = fields.node(EOS);
    List<JsonNode> all = new ArrayList<>();
    if (value.isArray()) {
      all.addAll(value.values());
    } else {
      all.add(value);
    }
    Predicate<JsonNode> isId = node -> node.isIntegralNumber() && node.canConvertToInt() && node.intValue() >= 0;
    if (!all.stream().allMatch(isId)) {
      LOG.warn("{}: {} = {} has what is no id of a token: passed over, as by transformers", fields.source(), EOS,
          Quote.line(StrictJson.compact(value)));
    }
    return new GenerationConfig(all.stream().filter(isId).map(JsonNode::intValue).toList());
  }
}
