package dev.fettle.internal.local;

import dev.fettle.Full;
import dev.fettle.Hybrid;
import dev.fettle.Lora;
import dev.fettle.Modules;
import dev.fettle.ParameterGroup;
import dev.fettle.Tuning;
import dev.fettle.internal.checkpoint.AdapterConfig;
import dev.fettle.internal.checkpoint.JsonFields;
import dev.fettle.internal.json.ObjectNode;
import dev.fettle.internal.model.Layout;
import dev.fettle.internal.model.OuterWeight;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.Set;

/** What {@code state.json} says of what is trained beyond PEFT's adapter_config.json. */
record SavedTuning(Lora lora, boolean pissa, List<Part> parts, boolean untied) {
  /** Modules that are trained in full alike; an empty list for all. */
  record Part(List<String> modules, ParameterGroup rate) {}

  /** Whether there are adapters. */
  boolean hasAdapters() {
    return lora != null;
  }

  static void write(ObjectNode root, TrainableModel tuned) {
    root.put("untied", tuned.untied());
    if (!tuned.adapters().parameters().isEmpty()) {
      ObjectNode node = root.putObject("lora");
      node.put("pissa", tuned.adapters().start() != null);
      node.put("ratio", tuned.adapters().lora().learningRateRatio());
      write(node, tuned.adapters().lora().rate());
    }
    ObjectNode parts = root.putObject("full");
    Map<ParameterGroup, List<String>> byRate = new LinkedHashMap<>();
    tuned.full().byModule().forEach((module, weights) ->
        byRate.computeIfAbsent(weights.get(0).rule().rate(), r -> new ArrayList<>()).add(module));
    boolean all = tuned.full().isAll() && byRate.size() == 1;
    byRate.forEach((rate, modules) -> {
      ObjectNode node = parts.putObject("part" + parts.size());
      if (!all) {
        modules.forEach(node.putArray("modules")::add);
      }
      write(node, rate);
    });
  }

  private static void write(ObjectNode node, ParameterGroup rate) {
    rate.learningRate().ifPresent(x -> node.put("learning_rate", x));
    node.put("factor", rate.factor());
    rate.weightDecay().ifPresent(x -> node.put("weight_decay", x));
  }

  static SavedTuning read(JsonFields f, Path directory, long seed) {
    Lora lora = null;
    boolean pissa = false;
    if (f.object("lora").isPresent()) {
      JsonFields node = f.object("lora").get();
      pissa = node.bool("pissa", false);
      ParameterGroup rate = rate(node);
      double ratio = node.positive("ratio", 1);
      lora = node.checked("ratio", () -> Lora.from(directory).seed(seed).learningRateRatio(ratio));
      lora = rate.learningRate().isPresent() ? lora.learningRate(rate.learningRate().getAsDouble())
          : lora.learningRateFactor(rate.factor());
      lora = rate.weightDecay().isPresent() ? lora.weightDecay(rate.weightDecay().getAsDouble()) : lora;
    }
    List<Part> parts = new ArrayList<>();
    f.object("full").ifPresent(all -> {
      for (String key : all.keys()) {
        JsonFields node = all.object(key).orElseThrow(() -> all.invalid(key, "must be an object"));
        List<String> modules = node.strings("modules");
        node.checked("modules", () -> modules.stream().map(Modules::named).toList());
        parts.add(new Part(modules, rate(node)));
      }
    });
    if (lora == null && parts.isEmpty()) {
      throw f.invalid("full", "must name what is trained, where there are no adapters");
    }
    return new SavedTuning(lora, pissa, parts, f.bool("untied", false));
  }

  private static ParameterGroup rate(JsonFields f) {
    OptionalDouble own = f.has("learning_rate") ? OptionalDouble.of(f.positive("learning_rate", 1)) : OptionalDouble.empty();
    OptionalDouble decay = f.has("weight_decay") ? OptionalDouble.of(f.number("weight_decay", 0)) : OptionalDouble.empty();
    double factor = f.positive("factor", 1);
    f.checked(own.isPresent() ? "learning_rate" : "factor", () -> new ParameterGroup(own, factor, OptionalDouble.empty()));
    return f.checked("weight_decay", () -> new ParameterGroup(own, factor, decay));
  }

  /** The same for the user. */
  Tuning tuning() {
    List<Full> full = new ArrayList<>();
    for (Part part : parts) {
      Full one = part.modules.isEmpty() ? Full.all()
          : Full.of(part.modules.stream().map(Modules::named).toArray(Modules[]::new));
      one = part.rate.learningRate().isPresent() ? one.learningRate(part.rate.learningRate().getAsDouble())
          : one.learningRateFactor(part.rate.factor());
      full.add(part.rate.weightDecay().isPresent() ? one.weightDecay(part.rate.weightDecay().getAsDouble()) : one);
    }
    if (lora == null) {
      return full.get(0);
    }
    if (full.isEmpty()) {
      return lora;
    }
    Hybrid hybrid = lora.plus(full.get(0));
    for (Full part : full.subList(1, full.size())) {
      hybrid = hybrid.plus(part);
    }
    return hybrid;
  }

  /** The adapters, with values still to be read. */
  AdapterParameters adapters(LocalModel model, AdapterConfig stored) {
    AdapterConfig settings = pissa ? stored.halved() : stored;
    return new AdapterParameters(lora, settings, LoraTargets.shape(settings, model.config(), pissa));
  }

  FullTargets full(LocalModel model) {
    Layout layout = untied ? Layout.of(model.config().untied()) : model.layout();
    Map<String, ScaledGroup> rules = new LinkedHashMap<>();
    for (Part part : parts) {
      Set<String> names = Set.copyOf(part.modules);
      for (Layout.Weight w : layout.weights().values()) {
        if (names.isEmpty() || names.contains(w.module())) {
          rules.put(w.name(), new ScaledGroup(part.rate));
        }
      }
    }
    return new FullTargets(rules, untied && rules.keySet().stream().anyMatch(n -> n.startsWith(OuterWeight.HEAD_MODULE)
        || n.startsWith(layout.embeddingModule())));
  }
}
