package dev.fettle.internal.local;

import dev.fettle.Batch;
import dev.fettle.Datum;
import dev.fettle.MemoryPlan;
import dev.fettle.MemoryPlan.Part;
import dev.fettle.SamplingParams;
import dev.fettle.internal.model.AdapterShape;
import dev.fettle.internal.model.Layout;
import dev.fettle.internal.model.ModelConfig;
import dev.fettle.internal.model.Product;
import dev.fettle.internal.network.Activations;
import dev.fettle.internal.network.Decoder;
import dev.fettle.internal.network.Weight;
import dev.fettle.internal.torch.Memory;
import dev.fettle.internal.torch.NumberType;
import dev.fettle.internal.torch.Torch;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What work on a model will hold of native memory, computed from shapes: the one place where it is estimated. What only
 * a pass holds is counted at the pass's busiest moment.
 *
 * <p>Bytes of tensors are exact within some per cent. What malloc keeps of freed blocks is not computed but was measured:
 * between a fifth and a half of what passes hold, see {@code Bench memory}; half of it is planned.
 */
final class MemoryPlanner {
  static final String WEIGHTS = "weights";
  static final String PACKED = "weights packed for the processor";
  static final String DECODING = "weights for decoding";
  static final String PARAMETERS = "parameters";
  static final String GRADIENTS = "gradients";
  static final String MOMENTS = "moments";
  static final String ACTIVATIONS = "activations";
  static final String LOGITS = "logits";
  static final String CACHES = "caches";
  /** What a pass has freed and malloc cannot use again, as it looks for room to align blocks in. */
  static final String KEPT = "kept by malloc";
  /** Rows of quantised weights as numbers. */
  static final String SCRATCH = "weights made dense";
  static final String SNAPSHOT = "snapshot";
  static final String SINGULAR = "singular values";

  /** The bytes of the largest model of which there is a packed copy. */
  private static final long MOST_PACKED = 2L << 30;

  private final Layout layout;
  private final ModelConfig config;
  private final NumberType type;
  private final BlockForms forms;
  private final List<Activations> layers;
  private final boolean sparing;

  /** @param sparing whether no layer's activations are kept, even if there is room */
  MemoryPlanner(Layout layout, NumberType type, BlockForms forms, boolean sparing) {
    this.layout = layout;
    this.forms = forms;
    this.config = layout.config();
    this.type = type;
    this.layers = config.layers().stream().map(Activations::new).toList();
    this.sparing = sparing;
  }

  /** Sparing where the property {@code fettle.recompute} is true. */
  MemoryPlanner(Layout layout, NumberType type, BlockForms forms) {
    this(layout, type, forms, Boolean.getBoolean("fettle.recompute"));
  }

  /** The model itself. */
  MemoryPlan weights() {
    MemoryPlan own = plan(WEIGHTS, forms.bytes(type));
    return !packs() ? own : plus(own, plan(PACKED, layout.blocks().stream().filter(b -> b.isProduct() && forms.of(b).isDense())
        .mapToLong(b -> b.size() * type.size()).sum()));
  }

  /**
   * Whether the layers' matrices are held in the processor's order too. It depends on nothing but the model and the processor:
   * the same product of packed numbers may have other last bits. Many rows go through an encoder whose weights mostly stay frozen.
   */
  boolean packs() {
    return !config.isCausalLm() && Torch.get().packs(type) && forms.bytes(type) <= MOST_PACKED;
  }

  /** What a training holds from step to step, with its gradient in as many lanes as there may be. */
  MemoryPlan training(AdapterParameters adapters, FullParameters full, BaseWeightOverrides brought) {
    long numbers = adapters.size() + full.size();
    int lanes = adapters.settings().dropout() > 0 ? 1 : GradientVectors.lanes(adapters, full);
    return training(adapters, full, brought, lanes * numbers * Float.BYTES);
  }

  /** The same with a gradient of so many bytes. */
  MemoryPlan training(AdapterParameters adapters, FullParameters full, BaseWeightOverrides brought, long gradients) {
    long vector = (adapters.size() + full.size()) * Float.BYTES;
    return plan(PARAMETERS, vector + adapters.heldBytes(type) + full.copiedBytes(type) + brought.bytes(type),
        GRADIENTS, gradients, MOMENTS, 2 * vector);
  }

  /**
   * The start of PiSSA or OLoRA, one matrix at a time: the largest as numbers, in float32, and what LAPACK's divide and conquer
   * (dgesdd) has beside it, of which four squares of the lesser side were found in resident memory.
   */
  MemoryPlan start(AdapterShape shape) {
    long most = 0;
    for (int i = 0; i < shape.layers(); i++) {
      for (Product product : shape.adapted(i)) {
        Layout.Block block = layout.block(i, product).orElseThrow();
        for (AdapterShape.Member member : shape.members(i, product)) {
          most = Math.max(most, member.isAdapted() ? decomposed(block, member.outputs()) : 0);
        }
      }
    }
    if (shape.head().isAdapted()) {
      most = Math.max(most, decomposed(headBlock(), shape.head().outputs()));
    }
    return plan(SINGULAR, most);
  }

  private long decomposed(Layout.Block block, long rows) {
    long columns = block.shape()[1];
    long lesser = Math.min(rows, columns);
    long dense = forms.of(block).isDense() ? 0 : rows * columns * type.size();
    long single = type == NumberType.F32 ? 0 : rows * columns;
    return dense + (single + 2 * rows * columns + lesser * (rows + columns) + 4 * lesser * lesser) * Float.BYTES;
  }

  /** A forward pass over a batch, without a way back. */
  MemoryPlan forward(Batch batch) {
    return forward(Load.of(config, batch, DataParallel.most()));
  }

  /** The same with one sequence of so many tokens, whole. */
  MemoryPlan forward(long tokens) {
    return forward(Load.whole(tokens, tokens));
  }

  private MemoryPlan forward(Load load) {
    return malloced(passing(load, logits(load.rows), 0).plan());
  }

  /**
   * A pass over a batch and its way back, with all of the gradient that this pass adds to.
   *
   * @param firstKept the first layer whose activations are kept until the way back
   * @param accumulated whether there is a gradient already, to which what the pass computes is added at its end
   */
  MemoryPlan backward(Batch batch, TrainableModel tuned, int firstKept, boolean accumulated) {
    return backward(Load.of(config, batch, tuned.lanes()), tuned, firstKept, accumulated);
  }

  private MemoryPlan backward(Load load, TrainableModel tuned, int firstKept, boolean accumulated) {
    long one = tuned.parameters().size() * Float.BYTES;
    if (GradientVectors.isLarge(tuned.adapters(), tuned.full())) {
      return plus(plan(GRADIENTS, accumulated ? one : 0),
          malloced(backward(load, logits(load.rows), tuned, firstKept, layer -> piecesFrom(tuned, layer)).plan()));
    }
    return plus(plan(GRADIENTS, (load.lanes + (accumulated ? 1L : 0L)) * one),
        malloced(backward(load, logits(load.rows), tuned, firstKept, layer -> 0).plan()));
  }

  /**
   * The first layer whose activations there is room to keep until the way back; those of the layers below it, of which only
   * the inputs are kept, are computed again (Chen et al. 2016).
   */
  int firstKept(Batch batch, TrainableModel tuned, boolean accumulated) {
    int first = Math.max(0, tuned.lowestLayer());
    if (sparing) {
      return layers.size();
    }
    Load load = Load.of(config, batch, tuned.lanes());
    while (first < layers.size()
        && !Memory.get().fits(backward(load, tuned, first, accumulated).total() - tuned.promisedGradients())) {
      first++;
    }
    return first;
  }

  /**
   * Passes over texts whose numbers a loss looks at together.
   *
   * @param tuned what is trained; {@code null} where there is no way back
   * @param tokens of which the intermediate values are held at a time, if those of all texts are more
   */
  MemoryPlan texts(List<int[]> texts, TrainableModel tuned, int tokens, boolean accumulated) {
    long all = texts.stream().mapToLong(t -> t.length).sum();
    long longest = texts.stream().mapToInt(t -> t.length).max().orElse(0);
    int lanes = Math.min(tuned == null ? DataParallel.most() : tuned.lanes(), texts.size());
    long busy = Math.min(all, lanes * Math.max(Math.min(LengthBuckets.TOKENS, tokens), longest));
    if (tuned == null) {
      return malloced(passing(Load.whole(busy, longest), 0, 0).plan());
    }
    long one = tuned.parameters().size() * Float.BYTES;
    boolean large = GradientVectors.isLarge(tuned.adapters(), tuned.full());
    long gradients = large ? accumulated ? one : 0 : one * (lanes + (accumulated ? 1 : 0));
    Moment moment = backward(Load.whole(busy, longest), 0, tuned, Math.max(0, tuned.lowestLayer()),
        layer -> large ? piecesFrom(tuned, layer) : 0);
    long kept = layers.stream().skip(Math.max(0, tuned.lowestLayer())).mapToLong(Activations::kept).sum();
    long waiting = all <= tokens ? (all - busy) * kept * type.size() : 0;
    return malloced(plus(plan(GRADIENTS, gradients, ACTIVATIONS, waiting), moment.plan()));
  }

  /** Sampling, if every sample becomes as long as it may. */
  MemoryPlan sampling(List<int[]> prompts, SamplingParams params) {
    long rows = prompts.stream().mapToLong(p -> p.length).sum();
    long longest = prompts.stream().mapToInt(p -> p.length).max().orElse(0);
    long sequences = (long) prompts.size() * params.samples();
    long most = Math.min(longest + (long) params.maxTokens(), config.contextLength());
    Moment reading = passing(Load.whole(rows, longest), 0, 0);
    // The logits themselves, divided by the temperature, their softmax and its sums; sorted with places where some are left out.
    long each = params.topK() > 0 || params.topP() < 1 ? 9L : 5L;
    return malloced(plan(ACTIVATIONS, reading.activations,
        CACHES, Decoder.cacheBytes(config, type, sequences, longest, most),
        LOGITS, sequences * each * config.vocabSize() * Float.BYTES));
  }

  /**
   * Sequences that are continued together while the memory of their caches is moved, and prompts are read that join them.
   *
   * @param room for tokens, of each cache
   */
  MemoryPlan continued(List<int[]> read, long sequences, long room) {
    long rows = read.stream().mapToLong(p -> p.length).sum();
    Moment reading = passing(Load.whole(rows, read.stream().mapToInt(p -> p.length).max().orElse(0)), 0, 0);
    return malloced(plan(ACTIVATIONS, reading.activations,
        CACHES, 2 * Decoder.cacheBytes(config, type, sequences, room),
        LOGITS, sequences * 9L * config.vocabSize() * Float.BYTES));
  }

  /** What is kept of a sequence of so many tokens for others that begin as it did. */
  MemoryPlan kept(long tokens) {
    return plan(CACHES, Decoder.cacheBytes(config, type, 1, tokens));
  }

  private MemoryPlan malloced(MemoryPlan pass) {
    MemoryPlan kept = plan(KEPT, (pass.bytes(ACTIVATIONS) + pass.bytes(LOGITS)) / 2);
    return forms.isDense() ? plus(pass, kept) : plus(pass, plan(SCRATCH, DataParallel.most() * Weight.Quantised.SCRATCH_BYTES), kept);
  }

  /** What is held at one moment of a pass, in bytes. */
  private record Moment(long activations, long logits, long gradients) {
    private long total() {
      return activations + logits + gradients;
    }

    private MemoryPlan plan() {
      return MemoryPlanner.plan(GRADIENTS, gradients, ACTIVATIONS, activations, LOGITS, logits);
    }
  }

  /** What of the gradient is there while the way back is at a layer. */
  @FunctionalInterface
  private interface Gradient {
    long at(int layer);
  }

  /**
   * What a batch makes lanes carry.
   *
   * @param lanes how many there are
   * @param rows of the largest portion of each lane at once
   * @param longest tokens of the longest sequence
   * @param seen rows that attention looks back to, of all lanes: more than they have where they share a sequence
   */
  private record Load(int lanes, long rows, long longest, long seen) {
    static Load whole(long rows, long longest) {
      return new Load(1, rows, longest, rows);
    }

    boolean isCut() {
      return seen > rows;
    }

    static Load of(ModelConfig config, Batch batch, int most) {
      List<int[]> texts = batch.data().stream().map(Datum::inputs).toList();
      LengthBuckets portions = TokenPass.portions(config, batch, most);
      return new Load(portions.lanes().size(), portions.busiest(texts),
          texts.stream().mapToInt(t -> t.length).max().orElse(0), portions.seen(texts));
    }
  }

  /**
   * Rows on their way through the layers and the head.
   *
   * @param logits bytes at the head
   * @param held bytes that are kept of layers below
   */
  private Moment passing(Load load, long logits, long held) {
    long rows = load.rows;
    long layer = layers.stream().mapToLong(a -> rows * (a.kept() + a.forward() + a.angles())
        + attention(a, load, false)).max().orElseThrow();
    Moment inLayer = new Moment(held + layer * type.size(), 0, 0);
    Moment atHead = new Moment(held + 4 * rows * config.hiddenSize() * type.size(), logits, 0);
    return inLayer.total() > atHead.total() ? inLayer : atHead;
  }

  /** What a layer needs for rows together, in numbers. */
  private long attention(Activations layer, Load load, boolean back) {
    return layer.working(load.seen, load.longest, type, back) + (load.isCut() ? layer.joined(load.seen, back) : 0);
  }

  private long logits(long rows) {
    return Activations.logitBytes(config, type, rows);
  }

  /** The way forward and back: at the end of the way forward, at the head, or at any layer of the way back. */
  private Moment backward(Load load, long logits, TrainableModel tuned, int firstKept, Gradient gradient) {
    long rows = load.rows;
    int count = layers.size();
    int lowest = tuned.lowestLayer();
    long always = 0;
    for (int i = 0; i < count && tuned.dropout() > 0; i++) {
      always += rows * Activations.masks(tuned.adapters().shape(), i) * type.size();
    }
    long[] below = new long[count + 1];
    for (int i = 0; i < count; i++) {
      long recomputed = layers.get(i).input() + (load.isCut() ? layers.get(i).shared() : 0);
      long kept = i < lowest ? 0 : i < firstKept ? recomputed : layers.get(i).kept();
      below[i + 1] = below[i] + rows * kept * type.size();
    }
    Moment forward = passing(load, logits, always + below[count - 1]);
    boolean headTrained = tuned.full().trains(layout.embedding()) || tuned.full().trains(headBlock());
    long product = headTrained && config.isCausalLm() ? (long) config.vocabSize() * config.hiddenSize() * type.size() : 0;
    Moment head = new Moment(always + below[count] + (5L * rows * config.hiddenSize()) * type.size() + product, logits,
        gradient.at(count));
    Moment most = forward.total() > head.total() ? forward : head;
    for (int i = count - 1; i >= Math.max(0, lowest); i--) {
      Activations activations = layers.get(i);
      long layer = rows * (activations.backward() + activations.input() + activations.angles()
          + (i < firstKept ? activations.kept() : 0)) + attention(activations, load, true);
      long experts = tuned.lanes() * Activations.expertGradients(tuned.adapters().shape(), i) * Float.BYTES;
      Moment at = new Moment(always + below[i + 1] + layer * type.size() + experts, 0, gradient.at(i));
      most = at.total() > most.total() ? at : most;
    }
    return most;
  }

  private Layout.Block headBlock() {
    return layout.head() == null ? layout.embedding() : layout.head();
  }

  /** The pieces of a large gradient that have come into being when the way back is at a layer. */
  private static long piecesFrom(TrainableModel tuned, int layer) {
    long numbers = tuned.adapters().size() + tuned.full().size(-1);
    for (int i = layer; i < tuned.layout().config().layers().size(); i++) {
      numbers += tuned.full().size(i);
    }
    return numbers * Float.BYTES;
  }

  /** A plan of names and bytes in turn. */
  static MemoryPlan plan(Object... namesAndBytes) {
    List<Part> parts = new ArrayList<>();
    for (int i = 0; i < namesAndBytes.length; i += 2) {
      parts.add(new Part((String) namesAndBytes[i], (long) namesAndBytes[i + 1]));
    }
    return new MemoryPlan(parts);
  }

  /** The parts of several plans, those of one name as one. */
  static MemoryPlan plus(MemoryPlan... plans) {
    Map<String, Long> sums = new LinkedHashMap<>();
    for (MemoryPlan plan : plans) {
      plan.parts().forEach(part -> sums.merge(part.name(), part.bytes(), Long::sum));
    }
    return new MemoryPlan(sums.entrySet().stream().map(e -> new Part(e.getKey(), e.getValue())).toList());
  }
}
