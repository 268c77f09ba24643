package dev.fettle.internal.local;

import dev.fettle.InvalidInputException;
import dev.fettle.Lora;
import dev.fettle.Modules;
import dev.fettle.internal.checkpoint.AdapterConfig;
import dev.fettle.internal.checkpoint.AdapterTargets;
import dev.fettle.internal.model.AdapterShape;
import dev.fettle.internal.model.ModelConfig;
import dev.fettle.internal.torch.NumberType;
import java.util.List;

/** From what a user asks of LoRA to ranks and scales of a model's modules. */
final class LoraTargets {
  private LoraTargets() {}

  /** Newly initialised adapters. */
  static LoraWeights start(Lora lora, LocalModel model) {
    AdapterConfig settings = settings(lora, model.config(), model.name());
    AdapterShape shape = shape(settings, model.config());
    NumberType type = NumberType.of(model.dtype());
    requireMemory(shape, model);
    LoraWeights weights = new LoraWeights(lora, settings, shape, model.weights(), type);
    weights.initialise();
    return weights;
  }

  /** The same in PEFT's terms. */
  static AdapterConfig settings(Lora lora, ModelConfig config, String baseModel) {
    for (Modules m : lora.modules()) {
      boolean known = config.layers() > 0 && AdapterShape.modules(config).stream().anyMatch(n -> m.contains(n, config.layers()));
      if (!known) {
        throw new InvalidInputException("on(" + m + ") names no linear layer of the decoder. This model has "
            + config.layers() + " layers with self_attn.q_proj, k_proj, v_proj, o_proj and mlp.gate_proj, up_proj, down_proj");
      }
    }
    List<String> targets = AdapterShape.modules(config).stream()
        .filter(name -> lora.modules().stream().anyMatch(m -> m.contains(name, config.layers()))).toList();
    AdapterConfig settings = new AdapterConfig(lora.rank(), lora.alpha(), lora.dropout(), lora.isRankStabilized(),
        AdapterTargets.modules(shortened(targets, config)), lora.rankPattern(), lora.alphaPattern(), baseModel);
    lora.rankPattern().keySet().forEach(pattern -> requireMatch("rankOf", pattern, targets));
    lora.alphaPattern().keySet().forEach(pattern -> requireMatch("alphaOf", pattern, targets));
    return settings;
  }

  /** The last parts of the names where they say the same, as people write them; else the whole names. */
  private static List<String> shortened(List<String> targets, ModelConfig config) {
    List<String> suffixes = targets.stream().map(t -> t.substring(t.lastIndexOf('.') + 1)).distinct().toList();
    return suffixes.size() * config.layers() == targets.size() ? suffixes : targets;
  }

  private static void requireMatch(String method, String pattern, List<String> targets) {
    try {
      if (targets.stream().noneMatch(t -> t.matches("(.*\\.)?(" + pattern + ")"))) {
        throw new InvalidInputException(method + "(\"" + pattern + "\", ...) fits none of the adapted modules");
      }
    } catch (java.util.regex.PatternSyntaxException e) {
      throw new InvalidInputException(method + "(\"" + pattern + "\", ...) is not a regular expression: "
          + e.getDescription(), e);
    }
  }

  static AdapterShape shape(AdapterConfig settings, ModelConfig config) {
    return AdapterShape.of(config, name -> settings.targets(name) ? settings.rank(name) : 0, settings::scale);
  }

  static void requireMemory(AdapterShape shape, LocalModel model) {
    long elements = 0;
    for (int layer = 0; layer < shape.layers(); layer++) {
      for (int group = 0; group < AdapterShape.GROUPS; group++) {
        for (int module : shape.members(group)) {
          elements += (long) shape.moduleRank(layer, module) * (shape.inputs(group) + shape.outputs(group));
        }
      }
    }
    Memory.require(elements * 20, "LoRA of this rank on " + model.name());
  }
}
