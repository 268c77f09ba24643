package dev.fettle.internal.local;

import dev.fettle.Full;
import dev.fettle.InvalidInputException;
import dev.fettle.Modules;
import dev.fettle.internal.model.Layout;
import dev.fettle.internal.model.OuterWeight;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * From what a user asks to train in full to the weights of a model.
 *
 * @param rules of the weights, by name
 * @param untied whether the output embedding, which is the model's input embedding, is trained by itself
 * @param biases those of the weights that are biases which an adapter trains, by PEFT's {@code bias}
 */
record FullTargets(Map<String, ScaledGroup> rules, boolean untied, Set<String> biases) {
  private static final String HEAD = OuterWeight.HEAD_MODULE;

  static final FullTargets NONE = new FullTargets(Map.of(), false);

  FullTargets(Map<String, ScaledGroup> rules, boolean untied) {
    this(rules, untied, Set.of());
  }

  /** The modules that are trained. */
  Set<String> modules() {
    return rules.keySet().stream().filter(name -> !biases.contains(name)).map(name -> name.substring(0, name.lastIndexOf('.')))
        .collect(Collectors.toSet());
  }

  /** The weights of several parts; no two may share one. */
  static FullTargets of(List<Full> parts, Layout layout) {
    boolean tied = layout.config().tiedEmbeddings();
    int layers = layout.config().layers().size();
    String embedding = layout.embeddingModule();
    Map<String, ScaledGroup> rules = new LinkedHashMap<>();
    boolean untied = tied && !parts.isEmpty() && parts.stream().noneMatch(p -> takes(p, embedding, layers))
        && parts.stream().anyMatch(p -> takes(p, HEAD, layers));
    for (Full part : parts) {
      for (Modules choice : part.modules()) {
        requireMatch(choice, layout, tied);
      }
      Set<String> names = new LinkedHashSet<>();
      for (Layout.Weight w : layout.weights().values()) {
        boolean head = tied && !untied && w.module().equals(embedding) && takes(part, HEAD, layers);
        if (head || takes(part, w.module(), layers)) {
          names.add(w.name());
        }
      }
      if (untied && takes(part, HEAD, layers)) {
        names.add(HEAD + ".weight");
      }
      for (String name : names) {
        if (rules.put(name, new ScaledGroup(part.rate())) != null) {
          throw new InvalidInputException(name + " is in two parts that are trained in full; leave it out of one"
              + (tied && name.startsWith(embedding) ? ". It is this model's input and output embedding" : ""));
        }
      }
    }
    return new FullTargets(rules, untied);
  }

  private static boolean takes(Full part, String module, int layers) {
    return part.modules().isEmpty() || part.modules().stream().anyMatch(m -> m.contains(module, layers));
  }

  private static void requireMatch(Modules choice, Layout layout, boolean tied) {
    int layers = layout.config().layers().size();
    boolean any = layout.weights().values().stream().anyMatch(w -> choice.contains(w.module(), layers))
        || tied && choice.contains(HEAD, layers);
    if (!any) {
      throw new InvalidInputException("Full.of(" + choice + ") names nothing in this model. It has " + layers
          + " layers, 0 to " + (layers - 1) + ", with modules such as "
          + layout.weights().values().stream().map(Layout.Weight::module).distinct().limit(4).toList()
          + (layout.config().isCausalLm() ? " and model.norm, " + layout.embeddingModule() + ", " + HEAD : ""));
    }
  }
}
