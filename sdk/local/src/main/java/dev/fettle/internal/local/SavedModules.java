package dev.fettle.internal.local;

import dev.fettle.InvalidInputException;
import dev.fettle.Lora;
import dev.fettle.internal.checkpoint.AdapterConfig;
import dev.fettle.internal.model.Layout;
import dev.fettle.internal.model.OuterWeight;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/** The weights that PEFT's {@code modules_to_save} names: copies of modules, trained in full. */
final class SavedModules {
  private SavedModules() {}

  /** As PEFT matches them: a module, or one that holds others, whose path ends so. Copies are never tied. */
  static FullTargets of(AdapterConfig settings, Lora lora, LocalModel model, Path directory) {
    if (settings.extras().modulesToSave().isEmpty()) {
      return FullTargets.NONE;
    }
    boolean tied = model.config().tiedEmbeddings();
    Layout untied = tied ? Layout.of(model.config().untied()) : model.layout();
    Map<String, ScaledGroup> rules = new LinkedHashMap<>();
    for (String name : settings.extras().modulesToSave()) {
      int before = rules.size();
      for (Layout.Weight w : untied.weights().values()) {
        if (isWithin(w.module(), name)) {
          rules.put(w.name(), new ScaledGroup(lora.rate()));
        }
      }
      if (rules.size() == before) {
        throw new InvalidInputException(directory + ": modules_to_save: " + name + " fits no module of " + model.name());
      }
    }
    boolean embeddings = rules.keySet().stream()
        .anyMatch(n -> n.startsWith(untied.embeddingModule()) || n.startsWith(OuterWeight.HEAD_MODULE));
    return new FullTargets(rules, tied && embeddings);
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
