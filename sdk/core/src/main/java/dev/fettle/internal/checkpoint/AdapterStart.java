package dev.fettle.internal.checkpoint;

import dev.fettle.internal.checkpoint.AdapterConfig.Residual;
import dev.fettle.internal.json.ObjectNode;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What {@code init_lora_weights} means for an adapter that is loaded. Most ways to start change A and B alone, which the file
 * has. Others begin with a part of the base model's weights, and PEFT takes that part off again at each loading.
 */
final class AdapterStart {
  private static final Logger LOG = LoggerFactory.getLogger(AdapterStart.class);
  private static final String KEY = "init_lora_weights";
  private static final Set<String> PLAIN = Set.of("gaussian", "eva", "orthogonal");
  private static final String CONVERT = "; in Python save it by save_pretrained with path_initial_model_for_weight_conversion, "
      + "which makes a plain adapter of it";

  private static final Map<String, String> REASONS =
      Map.of(
          "corda", "its start came from data that the adapter does not hold, so that PEFT cannot load it either" + CONVERT,
          "loftq", "the base model's weights were rounded to few bits",
          "mica", "its B stays as it was at the start");

  private AdapterStart() {}

  static Residual read(JsonFields fields) {
    if (!fields.has(KEY) || fields.node(KEY).isBoolean()) {
      return Residual.NONE;
    }
    String init = fields.string(KEY).orElseThrow();
    if (init.equals("pissa")) {
      return Residual.PISSA;
    }
    if (init.startsWith("pissa")) {
      throw fields.unsupported(KEY, "its start came from a random search for singular values, which nobody can repeat" + CONVERT);
    }
    String name = init.toLowerCase(Locale.ROOT);
    if (name.equals("olora")) {
      return Residual.OLORA;
    }
    if (name.equals("lora_ga")) {
      LOG.warn("{}: {} = {}: what was taken off the base model's weights in training is not known; A and B are read as PEFT "
          + "reads them, over the whole weights", fields.source(), KEY, init);
      return Residual.NONE;
    }
    if (!PLAIN.contains(name)) {
      throw fields.unsupported(KEY, REASONS.getOrDefault(name, "a start that is not known here; it may have changed the base "
          + "model's weights"));
    }
    return Residual.NONE;
  }

  static void write(ObjectNode root, Residual residual) {
    if (residual == Residual.NONE) {
      root.put(KEY, true);
    } else {
      root.put(KEY, residual.name().toLowerCase(Locale.ROOT));
    }
  }
}
