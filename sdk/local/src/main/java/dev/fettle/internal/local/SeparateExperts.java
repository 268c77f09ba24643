package dev.fettle.internal.local;

import dev.fettle.InvalidInputException;
import dev.fettle.UnsupportedModelException;
import dev.fettle.internal.checkpoint.AdapterConfig;
import dev.fettle.internal.checkpoint.AdapterTargets;
import dev.fettle.internal.checkpoint.SafetensorsFile;
import dev.fettle.internal.checkpoint.StoredTensor;
import dev.fettle.internal.local.ParameterVector.Parameter;
import dev.fettle.internal.model.AdapterShape;
import dev.fettle.internal.model.LayerConfig;
import dev.fettle.internal.model.LayerConfig.Linear;
import dev.fettle.internal.model.Layout;
import dev.fettle.internal.model.ModelConfig;
import dev.fettle.internal.model.OuterWeight;
import dev.fettle.internal.model.Product;
import dev.fettle.internal.torch.NumberType;
import dev.fettle.internal.torch.Scope;
import dev.fettle.internal.torch.Tensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Adapters whose experts have an A and a B for each of their linear layers, as they were trained before transformers 5 held all
 * experts of a layer in one weight. As PEFT reads them, gate and up become one adapter of the sum of their ranks, in whose B each
 * has its own rows and ranks.
 */
final class SeparateExperts {
  private static final Logger LOG = LoggerFactory.getLogger(SeparateExperts.class);
  private static final String WEIGHT = ".weight";

  /**
   * A or B of one linear layer of an expert.
   *
   * @param row the first of its outputs within the expert
   * @param rank the first of its ranks within the expert
   */
  private record Part(StoredTensor tensor, int expert, long row, long rank) {}

  private final SafetensorsFile stored;
  private final Map<Parameter, List<Part>> parts = new HashMap<>();
  private final Map<Parameter, AdapterShape.Member> members = new HashMap<>();
  private final Set<String> names = new LinkedHashSet<>();

  private SeparateExperts(SafetensorsFile stored) {
    this.stored = stored;
  }

  /** Settings in which such experts are named by the weights that hold them; others as they are. */
  static AdapterConfig joined(AdapterConfig settings, ModelConfig config, Path directory) {
    Map<String, Integer> ranks = new LinkedHashMap<>();
    Map<String, Double> alphas = new LinkedHashMap<>();
    List<String> experts = new ArrayList<>();
    for (LayerConfig layer : config.layers()) {
      for (Product product : layer.products().stream().filter(Product::isOfExperts).toList()) {
        List<String> modules = layer.linears(product).stream().map(layer::module).toList();
        String weight = config.architecture().stacked(modules.get(0) + WEIGHT).orElseThrow().tensor();
        if (settings.takesParameter(weight) || modules.stream().noneMatch(m -> targets(settings, m))) {
          continue;
        }
        int rank = requireAlike(settings, layer, modules, directory);
        experts.add(weight);
        double scale = settings.scale(modules.get(0));
        ranks.put(key(weight), rank);
        alphas.put(key(weight), scale * (settings.rsLora() ? Math.sqrt(rank) : rank));
      }
    }
    return experts.isEmpty() ? settings : joined(settings, config, directory, experts, ranks, alphas);
  }

  private static AdapterConfig joined(AdapterConfig settings, ModelConfig config, Path directory, List<String> experts,
      Map<String, Integer> ranks, Map<String, Double> alphas) {
    AdapterConfig.Extras extras = settings.extras();
    if (extras.dora() || extras.bias()) {
      throw new UnsupportedModelException(directory + ": " + AdapterConfig.FILE_NAME + ": use_dora and lora_bias with adapters of experts, "
          + "which target_modules names, are not supported");
    }
    if (settings.dropout() > 0) {
      LOG.warn("{}: lora_dropout {} is left out if the adapter is tuned: as by PEFT, none is applied beside adapters of experts",
          directory, settings.dropout());
    }
    List<String> adaptable = new ArrayList<>(AdapterShape.modules(config));
    adaptable.addAll(List.of(Layout.of(config).embeddingModule(), OuterWeight.HEAD_MODULE));
    List<String> targets = new ArrayList<>(adaptable.stream().filter(settings::targets).toList());
    List<String> parameters = LoraTargets.parameters(config, targets);
    for (String module : parameters) {
      ranks.put(key(module + WEIGHT), settings.rank(module));
      alphas.put(key(module + WEIGHT), settings.alpha(module));
    }
    targets.removeAll(parameters);
    ranks.values().removeIf(rank -> settings.rankPattern().isEmpty() && rank == settings.rank());
    alphas.values().removeIf(alpha -> settings.alphaPattern().isEmpty() && alpha == settings.alpha());
    settings.rankPattern().forEach(ranks::putIfAbsent);
    settings.alphaPattern().forEach(alphas::putIfAbsent);
    List<String> weights = new ArrayList<>(parameters);
    weights.addAll(experts);
    List<String> named = new ArrayList<>(extras.parameters());
    LoraTargets.names(config, weights).stream().filter(name -> !named.contains(name)).forEach(named::add);
    return new AdapterConfig(settings.rank(), settings.alpha(), 0, settings.rsLora(),
        AdapterTargets.modules(LoraTargets.shortened(targets, adaptable)), ranks, alphas, settings.baseModel(),
        extras.adapting(named));
  }

  private static boolean targets(AdapterConfig settings, String module) {
    return settings.targets(module) && !settings.takesParameter(module + WEIGHT);
  }

  private static String key(String name) {
    return name.replace(".", "\\.");
  }

  /** The rank of an expert, which is that of each, all of whose linear layers are adapted with one scale. */
  private static int requireAlike(AdapterConfig settings, LayerConfig layer, List<String> modules, Path directory) {
    int copies = layer.numbers().experts().count();
    int each = modules.size() / copies;
    int rank = 0;
    for (int i = 0; i < modules.size(); i++) {
      String module = modules.get(i);
      String first = modules.get(i % each);
      boolean alike = targets(settings, module) && settings.rank(module) == settings.rank(first)
          && settings.scale(module) == settings.scale(modules.get(0));
      if (!alike) {
        throw new UnsupportedModelException(directory + ": " + AdapterConfig.FILE_NAME + ": " + module + " is not adapted as "
            + modules.get(0) + " is; the experts of a layer are one weight in transformers, whose adapter has one rank and scale, and "
            + "gate_proj and up_proj have it together, as PEFT asks for");
      }
      rank += i < each ? settings.rank(module) : 0;
    }
    return rank;
  }

  /** What a file holds in this form of what a training has. */
  static SeparateExperts find(SafetensorsFile stored, String prefix, TrainableModel tuned) {
    SeparateExperts found = new SeparateExperts(stored);
    AdapterShape shape = tuned.adapters().shape();
    for (int i = 0; i < shape.layers(); i++) {
      LayerConfig layer = shape.config().layers().get(i);
      for (Product product : shape.adapted(i)) {
        if (product.isOfExperts()) {
          AdapterShape.Member member = shape.members(i, product).get(0);
          for (AdapterNames.Kind kind : List.of(AdapterNames.Kind.A, AdapterNames.Kind.B)) {
            Parameter p = tuned.adapters().parameter(kind.name(member.stored()));
            if (!stored.tensors().containsKey(prefix + p.name())) {
              found.add(p, member, layer, product, kind, prefix);
            }
          }
        }
      }
    }
    return found;
  }

  private void add(Parameter p, AdapterShape.Member member, LayerConfig layer, Product product, AdapterNames.Kind kind, String prefix) {
    List<Linear> linears = layer.linears(product);
    int each = linears.size() / member.copies();
    if (!stored.tensors().containsKey(prefix + kind.name(layer.module(linears.get(0))))) {
      return;
    }
    List<Part> all = new ArrayList<>();
    long row = 0;
    long rank = 0;
    for (int i = 0; i < linears.size(); i++) {
      Linear linear = linears.get(i);
      row = i % each == 0 ? 0 : row;
      rank = i % each == 0 ? 0 : rank;
      StoredTensor tensor = ParameterFiles.find(stored, prefix + kind.name(layer.module(linear)));
      boolean a = kind == AdapterNames.Kind.A;
      long own = tensor.shape().length == 2 ? tensor.shape()[a ? 0 : 1] : 0;
      if (own < 1 || rank + own > member.rank() || i % each == each - 1 && rank + own != member.rank()) {
        throw new InvalidInputException(stored.path() + ": tensor " + tensor.name() + " does not have the rank that "
            + AdapterConfig.FILE_NAME + " gives it");
      }
      ParameterFiles.require(stored, tensor, a ? new long[] {own, linear.inputs()} : new long[] {linear.outputs(), own});
      all.add(new Part(tensor, i / each, row, rank));
      names.add(tensor.name());
      row += linear.outputs();
      rank += own;
    }
    parts.put(p, all);
    members.put(p, member);
  }

  /** The tensors of the file that are parts of something. */
  Set<String> tensors() {
    return names;
  }

  /** Whether the file has it in parts. */
  boolean holds(Parameter p) {
    return parts.containsKey(p);
  }

  /** Reads what the file has in parts. */
  void read(Parameter p, Tensor into) {
    AdapterShape.Member member = members.get(p);
    boolean a = AdapterNames.Kind.A.is(p.name());
    for (Part part : parts.get(p)) {
      try (Scope scope = new Scope()) {
        long[] shape = part.tensor.shape();
        Tensor values = scope.zeros(NumberType.F32, shape);
        WeightFiles.read(stored::bytes, part.tensor, values, 0);
        if (a) {
          scope.kernels().copy(scope.kernels().rows(into, part.expert * (long) member.rank() + part.rank, shape[0]), values);
        } else {
          scope.kernels().placeExpertsB(values, into, part.expert, member.copies(), part.row, part.rank);
        }
      }
    }
  }
}
