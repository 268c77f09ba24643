package dev.fettle.internal.local;

import dev.fettle.Lora;
import dev.fettle.internal.checkpoint.AdapterConfig;
import dev.fettle.internal.model.AdapterShape;
import dev.fettle.internal.model.Layout;
import dev.fettle.internal.model.OuterWeight;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The weights that an adapter has trained by themselves: copies of modules, PEFT's {@code modules_to_save}, and biases. */
final class SavedModules {
  private static final Logger LOG = LoggerFactory.getLogger(SavedModules.class);
  private static final String HEAD = OuterWeight.HEAD_MODULE + ".weight";

  private SavedModules() {}

  /**
   * As PEFT matches them: a module, or one that holds others, whose path ends so; a name that fits nothing is passed over. Copies
   * are not tied, unless {@code ensure_weight_tying} asks for it.
   */
  static FullTargets of(AdapterConfig settings, Lora lora, LocalModel model, Path directory) {
    boolean tied = model.config().tiedEmbeddings();
    Layout untied = tied ? Layout.of(model.config().untied()) : model.layout();
    Map<String, ScaledGroup> rules = new LinkedHashMap<>();
    for (String name : settings.extras().modulesToSave()) {
      boolean fits = false;
      for (Layout.Weight w : untied.weights().values()) {
        if (isWithin(w.module(), name)) {
          rules.put(w.name(), new ScaledGroup(lora.rate()));
          fits = true;
        }
      }
      if (!fits) {
        LOG.warn("{}: modules_to_save: {} fits no module of {}: passed over, as by PEFT", directory, name, model.name());
      }
    }
    String embedding = untied.embeddingModule() + ".weight";
    boolean embeddings = rules.containsKey(embedding) || rules.containsKey(HEAD);
    if (tied && settings.extras().tied() && settings.extras().savesEmbedding()) {
      rules.remove(HEAD);
      rules.put(embedding, new ScaledGroup(lora.rate()));
      return new FullTargets(rules, false);
    }
    return new FullTargets(rules, tied && embeddings);
  }

  /**
   * The same with the biases that PEFT's {@code bias} trains: all of the model, or those of adapted modules. Beside B's with biases
   * of their own they stay as they are.
   */
  static FullTargets withBiases(FullTargets full, AdapterConfig settings, AdapterShape shape, Layout layout, Lora lora) {
    AdapterConfig.BaseBiases kind = settings.extras().baseBiases();
    if (kind == AdapterConfig.BaseBiases.NONE || settings.extras().bias()) {
      return full;
    }
    Set<String> biases = new LinkedHashSet<>();
    for (Layout.Weight w : layout.weights().values()) {
      boolean meant = kind == AdapterConfig.BaseBiases.ALL || shape.isAdapted(w.module());
      if (w.name().endsWith(".bias") && meant && !full.rules().containsKey(w.name())) {
        biases.add(w.name());
      }
    }
    Map<String, ScaledGroup> rules = new LinkedHashMap<>(full.rules());
    biases.forEach(name -> rules.put(name, new ScaledGroup(lora.rate())));
    return new FullTargets(rules, full.untied(), biases);
  }

  private static boolean isWithin(String module, String name) {
    for (String path = module; ; path = path.substring(0, path.lastIndexOf('.'))) {
      if (path.endsWith(name)) {
        return true;
      }
      if (path.indexOf('.') < 0) {
        return false;
      }
    }
  }
}
