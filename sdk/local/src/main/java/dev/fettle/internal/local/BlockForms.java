package dev.fettle.internal.local;

import dev.fettle.InvalidInputException;
import dev.fettle.Modules;
import dev.fettle.Quantisation;
import dev.fettle.internal.model.Layout;
import dev.fettle.internal.model.OuterWeight;
import dev.fettle.internal.model.Product;
import dev.fettle.internal.network.Levels;
import dev.fettle.internal.network.WeightForm;
import dev.fettle.internal.torch.NumberType;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/** In which form each block of a model is held. */
final class BlockForms {
  private final Layout layout;
  private final Map<Layout.Block, WeightForm> quantised;

  private BlockForms(Layout layout, Map<Layout.Block, WeightForm> quantised) {
    this.layout = layout;
    this.quantised = quantised;
  }

  /** All numbers as they are. */
  static BlockForms dense(Layout layout) {
    return new BlockForms(layout, Map.of());
  }

  /**
   * What was asked for; else each matrix as its file has it.
   *
   * @param stored the form of a weight in the files
   */
  static BlockForms of(Layout layout, Optional<Quantisation> asked, Function<Layout.Weight, WeightForm> stored) {
    Map<Layout.Block, List<Layout.Weight>> members = new HashMap<>();
    layout.weights().values().stream().filter(w -> isMatrix(w.block()) || asked.isPresent() && isIncluded(asked.get(), layout, w))
        .forEach(w -> members.computeIfAbsent(w.block(), b -> new java.util.ArrayList<>()).add(w));
    asked.ifPresent(q -> {
      q.exceptions().forEach(m -> requireMatch(m, layout));
      q.inclusions().forEach(m -> requireEmbedding(m, layout));
    });
    Map<Layout.Block, WeightForm> out = new HashMap<>();
    members.forEach((block, weights) -> {
      WeightForm form = asked.isPresent() ? form(asked.get(), layout, weights) : stored.apply(weights.get(0));
      boolean alike = asked.isPresent() || weights.stream().allMatch(w -> stored.apply(w).equals(form));
      long[] rows = weights.stream().mapToLong(w -> w.shape()[0]).toArray();
      long inputs = block.shape()[1];
      WeightForm held = form.fits(inputs, rows) ? form : form.flat();
      if (alike && !held.isDense() && held.fits(inputs, rows)) {
        out.put(block, held);
      }
    });
    return new BlockForms(layout, out);
  }

  /** Routers stay exact: rounded, they would choose other experts. */
  private static boolean isMatrix(Layout.Block block) {
    return block.isProduct() && block.place() != Product.ROUTER || block.place() == OuterWeight.Place.HEAD;
  }

  private static WeightForm form(Quantisation asked, Layout layout, List<Layout.Weight> weights) {
    int layers = layout.config().layers().size();
    boolean tied = layout.head() == null && weights.get(0).block().equals(layout.embedding());
    boolean excepted = weights.stream().anyMatch(w -> asked.exceptions().stream()
        .anyMatch(m -> m.contains(w.module(), layers) || tied && m.contains(OuterWeight.HEAD_MODULE, layers)));
    return excepted ? WeightForm.DENSE : switch (asked.form()) {
      case INT8 -> WeightForm.INT8;
      case NF4 -> new WeightForm(Levels.NF4, 64, asked.isDoubleQuantised());
      case INT4 -> WeightForm.INT4;
      case DENSE -> WeightForm.DENSE;
    };
  }

  /** Whether it is the embedding of tokens, and to be held in fewer bits too. */
  private static boolean isIncluded(Quantisation asked, Layout layout, Layout.Weight weight) {
    return weight.block().equals(layout.embedding())
        && asked.inclusions().stream().anyMatch(m -> m.contains(weight.module(), layout.config().layers().size()));
  }

  private static void requireEmbedding(Modules modules, Layout layout) {
    if (!modules.contains(layout.embeddingModule(), layout.config().layers().size())) {
      throw new InvalidInputException("including(" + modules + ") names nothing that is left to be held in fewer bits: beside linear "
          + "layers that is " + layout.embeddingModule() + " alone, Modules.embeddings()");
    }
  }

  private static void requireMatch(Modules modules, Layout layout) {
    int layers = layout.config().layers().size();
    if (layout.weights().values().stream().noneMatch(w -> modules.contains(w.module(), layers))
        && !modules.contains(OuterWeight.HEAD_MODULE, layers)) {
      throw new InvalidInputException("except(" + modules + ") names nothing in this model. It has " + layers
          + " layers, 0 to " + (layers - 1) + ", with modules such as "
          + layout.weights().values().stream().map(Layout.Weight::module).distinct().limit(4).toList());
    }
  }

  WeightForm of(Layout.Block block) {
    return quantised.getOrDefault(block, WeightForm.DENSE);
  }

  /** Whether all numbers are as they are. */
  boolean isDense() {
    return quantised.isEmpty();
  }

  /** The bytes of the model. */
  long bytes(NumberType type) {
    return layout.blocks().stream().mapToLong(b -> of(b).bytes(type, b)).sum();
  }

  /** Whether a module is held in fewer bits. */
  boolean holds(String module) {
    return layout.weights().values().stream().anyMatch(w -> w.module().equals(module) && !of(w.block()).isDense());
  }
}
