package dev.fettle.internal.local;

import dev.fettle.InvalidInputException;
import dev.fettle.Lora;
import dev.fettle.Modules;
import dev.fettle.UnsupportedModelException;
import dev.fettle.internal.checkpoint.AdapterConfig;
import dev.fettle.internal.checkpoint.AdapterTargets;
import dev.fettle.internal.model.AdapterShape;
import dev.fettle.internal.model.LayerConfig;
import dev.fettle.internal.model.Layout;
import dev.fettle.internal.model.ModelConfig;
import dev.fettle.internal.model.OuterWeight;
import dev.fettle.internal.model.Product;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** From what a user asks of LoRA to ranks and scales of a model's modules. */
final class LoraTargets {
  private static final List<String> DECODERS = List.of("q_proj", "v_proj");
  private static final List<String> ENCODERS = List.of("query", "value");
  /** What PEFT 0.21 adapts where target_modules is not said. */
  private static final Map<String, List<String>> USUAL = Map.of("llama", DECODERS, "mistral", DECODERS, "qwen2", DECODERS,
      "qwen3", DECODERS, "gemma2", DECODERS, "gemma3_text", DECODERS, "bert", ENCODERS, "roberta", ENCODERS,
      "xlm-roberta", ENCODERS);
  private static final Logger LOG = LoggerFactory.getLogger(LoraTargets.class);
  private static final String WEIGHT = ".weight";

  private LoraTargets() {}

  /**
   * New adapters.
   *
   * @param full the modules that are trained in full
   */
  static AdapterParameters start(Lora lora, LocalModel model, Set<String> full) {
    AdapterConfig settings = settings(lora, model.config(), model.name(), full);
    AdapterShape shape = shape(settings, model.config(), lora.isPissa());
    requireCombination(lora, shape);
    return new AdapterParameters(lora, settings, shape);
  }

  /** No adapters. */
  static AdapterParameters none(ModelConfig config) {
    return new AdapterParameters(Lora.rank(1), AdapterConfig.of(1, 1, List.of()), AdapterShape.none(config));
  }

  /** What the user asks for in PEFT's terms. */
  private static AdapterConfig settings(Lora lora, ModelConfig config, String baseModel, Set<String> full) {
    int layers = config.layers().size();
    List<String> experts = AdapterShape.experts(config);
    List<String> adaptable = new ArrayList<>(AdapterShape.modules(config));
    adaptable.addAll(experts);
    List<String> embeddings = config.isCausalLm()
        ? List.of(Layout.of(config).embeddingModule(), OuterWeight.HEAD_MODULE) : List.of();
    adaptable.addAll(embeddings);
    for (Modules m : lora.modules()) {
      if (adaptable.stream().noneMatch(n -> m.contains(n, layers))) {
        throw new InvalidInputException("targetModules(" + m + ") names no linear layer and no embedding. This model has "
            + layers + " layers with " + String.join(", ", config.layers().get(0).linears().stream().filter(l -> !l.product().isOfExperts())
                .map(LayerConfig.Linear::name).toList())
            + (embeddings.isEmpty() ? "" : ", and " + String.join(" and ", embeddings))
            + (experts.isEmpty() ? "" : "; all experts of a layer take adapters together, as " + String.join(" and ",
                experts.stream().map(LoraTargets::belowLayer).distinct().toList()) + " (Modules.experts())"));
      }
    }
    List<String> targets = new ArrayList<>();
    for (String name : adaptable) {
      if (lora.modules().stream().anyMatch(m -> m.contains(name, layers))) {
        if (!full.contains(name)) {
          targets.add(name);
        } else if (lora.isChosen()) {
          throw overlap(name);
        }
      }
    }
    if (targets.isEmpty()) {
      throw new InvalidInputException("nothing is left for adapters: " + lora + " takes in nothing that is not trained in "
          + "full; use Full alone");
    }
    List<String> parameters = new ArrayList<>(parameters(config, targets));
    if (!parameters.isEmpty() && (lora.dropout() > 0 || lora.isDora() || lora.hasBias())) {
      String why = "dropout(), dora() and bias() are for attention alone in a model with experts, as PEFT has nothing of them for "
          + parameters.get(0);
      if (lora.isChosen()) {
        throw new InvalidInputException(why + ": choose targetModules(Modules.attention())");
      }
      LOG.info("{}: {}, which stays as it is", baseModel, why);
      targets.removeAll(parameters);
      parameters.clear();
    }
    List<String> keys = new ArrayList<>(targets);
    keys.replaceAll(name -> parameters.contains(name) && !experts.contains(name) ? name + WEIGHT : name);
    targets.removeAll(parameters);
    lora.rankPattern().keySet().forEach(pattern -> requireMatch("rankPattern", pattern, keys));
    lora.alphaPattern().keySet().forEach(pattern -> requireMatch("alphaPattern", pattern, keys));
    return new AdapterConfig(lora.rank(), lora.alpha(), lora.dropout(), lora.isRankStabilized(),
        AdapterTargets.modules(shortened(targets, adaptable)), lora.rankPattern(), lora.alphaPattern(), baseModel,
        new AdapterConfig.Extras(lora.isDora(), lora.hasBias(), names(config, parameters)));
  }

  /**
   * The modules that PEFT adapts by the names of their weights alone. Routers and experts are no linear layers in transformers, and
   * beside experts PEFT takes the names of an MLP's projections for those of experts.
   */
  static List<String> parameters(ModelConfig config, List<String> targets) {
    return !config.hasExperts() ? List.of() : Stream.concat(config.layers().stream().flatMap(layer -> layer.linears().stream()
        .filter(l -> l.product() != Product.QKV && l.product() != Product.O).map(layer::module)),
        AdapterShape.experts(config).stream()).filter(targets::contains).toList();
  }

  /** The weights of modules: those of routers, or of experts, by one name if all layers are meant. */
  static List<String> names(ModelConfig config, List<String> modules) {
    List<String> experts = AdapterShape.experts(config);
    List<String> routed = new ArrayList<>(config.layers().stream()
        .flatMap(layer -> layer.linears(Product.ROUTER).stream().map(layer::module)).toList());
    routed.addAll(experts);
    List<String> names = new ArrayList<>();
    for (String module : modules) {
      String end = belowLayer(module);
      boolean all = routed.contains(module) && modules.containsAll(routed.stream().filter(m -> belowLayer(m).equals(end)).toList());
      String name = (all ? end : module) + (experts.contains(module) ? "" : WEIGHT);
      if (!names.contains(name)) {
        names.add(name);
      }
    }
    return names;
  }

  private static String belowLayer(String module) {
    return module.substring(module.indexOf("mlp."));
  }

  static InvalidInputException overlap(String module) {
    return new InvalidInputException(module + " is to have an adapter and to be trained in full: leave it out of one of both");
  }

  private static void requireCombination(Lora lora, AdapterShape shape) {
    String kind = lora.isDora() ? "dora()" : lora.isPissa() ? "pissa()" : "bias()";
    boolean special = lora.isDora() || lora.isPissa() || lora.hasBias();
    if ((lora.isDora() ? 1 : 0) + (lora.isPissa() ? 1 : 0) + (lora.hasBias() ? 1 : 0) > 1) {
      throw new InvalidInputException("dora(), pissa() and bias() exclude each other: keep one");
    }
    if (special && (shape.embedding().isAdapted() || shape.head().isAdapted())) {
      throw new InvalidInputException(kind + " is for the linear layers of the decoder: leave the embeddings out of targetModules()");
    }
    if (lora.isPissa()) {
      requireNoStart("pissa()", shape);
    }
    if (lora.isPissa() && lora.dropout() > 0) {
      throw new InvalidInputException("pissa() with dropout would drop what is taken off again: use one of both");
    }
  }

  /**
   * The last parts of the names where they say the same, as people write them; else the whole names, as for an encoder's
   * {@code dense}, of which a layer has three.
   */
  static List<String> shortened(List<String> targets, List<String> adaptable) {
    Set<String> ends = targets.stream().map(LoraTargets::end).collect(Collectors.toCollection(LinkedHashSet::new));
    boolean same = adaptable.stream().filter(name -> ends.contains(end(name))).count() == targets.size();
    return same && !ends.contains("dense") ? List.copyOf(ends) : targets;
  }

  private static String end(String module) {
    return module.substring(module.lastIndexOf('.') + 1);
  }

  private static void requireMatch(String method, String pattern, List<String> targets) {
    try {
      if (targets.stream().noneMatch(t -> AdapterConfig.fits(pattern, t))) {
        throw new InvalidInputException(method + "(\"" + pattern + "\", ...) fits none of the adapted modules");
      }
    } catch (UnsupportedModelException e) {
      throw new InvalidInputException(method + "(): " + e.getMessage(), e);
    }
  }

  /**
   * Settings with the targets that PEFT chooses for the family where the file names none, with those that are tied, and with
   * experts by the weights that hold them.
   */
  static AdapterConfig resolved(AdapterConfig stated, ModelConfig config, Path directory) {
    AdapterConfig settings = stated.targets().isUnsaid() ? stated : SeparateExperts.joined(stated, config, directory);
    if (!settings.targets().isUnsaid() || !settings.extras().parameters().isEmpty()) {
      return config.tiedEmbeddings() ? settings.withTied(Layout.of(config).embeddingModule(), OuterWeight.HEAD_MODULE) : settings;
    }
    List<String> usual = USUAL.get(config.architecture().type());
    if (usual == null) {
      throw new InvalidInputException(directory + ": adapter_config.json: target_modules must name the modules that have an adapter: "
          + "for " + config.architecture().type() + " there are none that PEFT takes by itself");
    }
    return settings.targeting(usual);
  }

  /** PEFT looks for one weight of a module there, and experts have none. */
  static void requireNoStart(String what, AdapterShape shape) {
    shape.adaptedExperts().ifPresent(name -> {
      throw new UnsupportedModelException(what + " with an adapter of " + name + " is not supported, nor by PEFT: leave experts out, or "
          + "start as usual");
    });
  }

  static AdapterShape shape(AdapterConfig settings, ModelConfig config, boolean startFrozen) {
    var kind = new AdapterShape.Kind(settings.extras().dora(), settings.extras().bias(), startFrozen);
    List<String> experts = AdapterShape.experts(config);
    return AdapterShape.of(config, kind,
        name -> (experts.contains(name) ? settings.takesParameter(name) : settings.targets(name)) ? settings.rank(name) : 0,
        settings::scale);
  }
}
