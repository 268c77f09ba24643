package dev.fettle.internal.network;

import dev.fettle.internal.model.AdapterShape;
import dev.fettle.internal.model.LayerNumbers;
import dev.fettle.internal.model.ModelConfig;
import dev.fettle.internal.model.OuterWeight;
import dev.fettle.internal.model.Rope;
import dev.fettle.internal.torch.LayerKernels.LayerGradient;
import dev.fettle.internal.torch.LayerKernels.LayerOutput;
import dev.fettle.internal.torch.NativeList;
import dev.fettle.internal.torch.NumberType;
import dev.fettle.internal.torch.Scope;
import dev.fettle.internal.torch.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A transformer: embeddings and layers; what follows is {@link Head} or {@link Pooler}. Holds what all its users share
 * (rotary angles); weights and adapters come with each call. Passes may run on several threads at once, each with a scope of
 * its own, after {@link #prepare}.
 */
public final class Network implements AutoCloseable {
  /** The lowest layer, where the backward pass goes on below all layers. */
  public static final int TO_EMBEDDING = -1;

  private final ModelConfig config;
  private final NumberType type;
  private final double[] outer;
  private final Scope scope = new Scope();
  private final NativeList<Tensor> noMasks = scope.list();
  private final NativeList<NativeList<Tensor>> noParts = scope.lists(List.of());
  private final Adapter noAdapter;
  private final Rotations rotations;
  private final int padding;
  /** Whether embeddings of several kinds are summed and normalised. */
  private final boolean sums;

  public Network(ModelConfig config, NumberType type) {
    this.config = config;
    this.type = type;
    this.outer = config.numbers().reals(type == NumberType.BF16);
    this.padding = config.numbers().padding().orElse(-1);
    this.noAdapter = Adapter.zeros(AdapterShape.none(config), scope, type);
    this.rotations = new Rotations(config, type, scope);
    this.sums = config.has(OuterWeight.Place.EMBEDDING_NORM);
  }

  /** What is kept of a layer for the way back: all it saved, the input from which that is computed again, or nothing. */
  public enum Kept { ALL, INPUT, NOTHING }

  /** Keeps nothing: there is no way back. */
  public static final LayerVisitor NOTHING = (layer, trace) -> Kept.NOTHING;

  /** Keeps nothing below the lowest layer that the way back reaches, and only inputs below another one. */
  public static LayerVisitor from(int lowest, int kept) {
    return (layer, trace) -> layer < lowest ? Kept.NOTHING : layer < kept ? Kept.INPUT : Kept.ALL;
  }

  /** Told of each layer as it has run. */
  @FunctionalInterface
  public interface LayerVisitor {
    /** What is kept of the layer for the backward pass. */
    Kept visit(int layer, Trace trace);
  }

  /** What a forward pass leaves for the backward pass. */
  public final class Trace {
    private final Packing packing;
    private final Optional<SequenceParts.Part> part;
    private final Tensor ids;
    private final Tensor positions;
    private final Tensor places;
    private final Tensor segments;
    private final Map<Optional<Rope>, Tensor[]> angles;
    private final List<NativeList<Tensor>> saved = new ArrayList<>();
    private final List<NativeList<Tensor>> masks = new ArrayList<>();
    private Tensor embedded;
    private Tensor[] embeddedNorm;
    private Tensor output;

    private Trace(Scope step, Packing packing, Optional<SequenceParts.Part> part) {
      this.packing = packing;
      this.part = part;
      this.ids = step.longs(packing.tokens());
      this.positions = step.longs(packing.positions());
      this.places = config.firstPosition() == 0 ? positions : step.longs(packing.places(config.firstPosition()));
      this.segments = step.longs(packing.segments());
      this.angles = rotations.at(step, packing, positions);
    }

    /** The output of the last layer, before the final norm: [rows, hidden]. */
    public Tensor output() {
      return output;
    }

    /** The sequences. */
    public Packing packing() {
      return packing;
    }

    /** What a layer saved. */
    NativeList<Tensor> saved(int layer) {
      return saved.get(layer);
    }

    private Tensor[] angles(int layer) {
      return angles.get(config.layers().get(layer).rope());
    }
  }

  /** The computation's number type. */
  public NumberType type() {
    return type;
  }

  /** What passes are given where there is no adapter. */
  public Adapter noAdapter() {
    return noAdapter;
  }

  /** The numbers outside the layers, as kernels take them. */
  double[] outer() {
    return outer;
  }

  /** The configuration. */
  public ModelConfig config() {
    return config;
  }

  /**
   * Runs packed sequences through all layers.
   *
   * @param keep called with each layer that has run; says what is kept of it
   * @param dropout of the adapters' inputs, or {@link Dropout#NONE}
   */
  public Trace forward(Scope step, Weights w, Adapter a, Packing packing, Dropout dropout, LayerVisitor keep) {
    return forward(step, w, a, packing, Optional.empty(), dropout, keep);
  }

  /** The same with a part of a sequence alone, whose other parts run at the same time. */
  public Trace forward(Scope step, Weights w, Adapter a, Packing packing, Optional<SequenceParts.Part> part, Dropout dropout,
      LayerVisitor keep) {
    prepare(packing.longest());
    Trace trace = new Trace(step, packing, part);
    Tensor x = embed(step, trace, w, a);
    for (int i = 0; i < config.layers().size(); i++) {
      LayerNumbers numbers = config.layers().get(i).numbers();
      trace.masks.add(dropout.masks(step, a.shape(), i, packing.rows(), type, noMasks));
      Tensor[] angles = trace.angles(i);
      int layer = i;
      NativeList<NativeList<Tensor>> before = part.map(p -> p.before(step, layer)).orElse(noParts);
      LayerOutput out = step.kernels().layerForward(x, w.products(i), w.vectors(i), a.layer(i), trace.masks.get(i), angles[0],
          angles[1], packing.runs(), numbers.dims(), numbers.reals(), before);
      part.ifPresent(p -> step.free(before));
      trace.saved.add(out.saved());
      Kept kept = keep.visit(i, trace);
      part.ifPresent(p -> p.ran(step, layer, out.saved(), kept));
      if (kept != Kept.ALL) {
        step.free(out.saved());
        trace.saved.set(i, kept == Kept.INPUT ? step.list(x) : null);
      }
      step.free(x);
      x = out.y();
    }
    trace.output = x;
    return trace;
  }

  private Tensor embed(Scope step, Trace trace, Weights w, Adapter a) {
    if (!sums) {
      return step.kernels().embed(w.embedding(), trace.ids, type, a.nativeEmbedding(), outer);
    }
    trace.embedded = step.kernels().embedRows(w.embedding(), w.outer(OuterWeight.Place.POSITIONS),
        w.outer(OuterWeight.Place.SEGMENTS), trace.ids, trace.places, trace.segments, type);
    trace.embeddedNorm = step.kernels().layerNorm(trace.embedded, w.outer(OuterWeight.Place.EMBEDDING_NORM),
        w.outer(OuterWeight.Place.EMBEDDING_NORM_BIAS), config.eps());
    return trace.embeddedNorm[0];
  }

  /**
   * Runs the gradient of the output back through the layers, adding the gradients of weights and adapters, down to the
   * lowest layer that is trained; to the embedding where {@code lowest} is {@link #TO_EMBEDDING}.
   *
   * @param overwrite whether the gradients of weights are set rather than added to
   */
  public void backward(Scope step, Trace trace, Tensor gradient, Weights w, Adapter a, WeightGradients gw,
      AdapterGradients ga, int lowest, boolean overwrite) {
    Tensor dy = gradient;
    if (overwrite && config.has(OuterWeight.Place.ATTENTION_BIAS)) {
      // All layers add to it.
      step.kernels().zero(gw.outer(OuterWeight.Place.ATTENTION_BIAS));
    }
    for (int i = config.layers().size() - 1; i >= Math.max(0, lowest); i--) {
      LayerNumbers numbers = config.layers().get(i).numbers();
      WeightGradients.OfLayer g = gw.layer(i);
      Tensor[] angles = trace.angles(i);
      int layer = i;
      NativeList<NativeList<Tensor>> before = trace.part.map(p -> p.before(step, layer)).orElse(noParts);
      NativeList<NativeList<Tensor>> after = trace.part.map(p -> p.after(step, layer)).orElse(noParts);
      LayerGradient d = step.kernels().layerBackward(dy, trace.saved.get(i), w.products(i), w.vectors(i), a.layer(i), trace.masks.get(i),
          g.products(), g.vectors(), ga.layer(i), a.blocks(i), a.scales(i), gw.flags(i), overwrite, i > lowest, angles[0],
          angles[1], trace.packing.runs(), numbers.dims(), numbers.reals(), before, after);
      trace.part.ifPresentOrElse(p -> {
        step.free(before);
        step.free(after);
        p.ranBack(step, layer, d.before());
      }, () -> step.free(d.before()));
      step.free(dy);
      step.free(trace.saved.set(i, null));
      dy = d.x();
    }
    if (lowest == TO_EMBEDDING) {
      embedBackward(step, trace, dy, w, a, gw, ga, overwrite);
    }
    step.free(dy);
  }

  private void embedBackward(Scope step, Trace trace, Tensor dy, Weights w, Adapter a, WeightGradients gw,
      AdapterGradients ga, boolean overwrite) {
    if (sums) {
      Tensor d = step.kernels().layerNormBackward(dy, trace.embedded, trace.embeddedNorm[1], trace.embeddedNorm[2],
          w.outer(OuterWeight.Place.EMBEDDING_NORM), w.outer(OuterWeight.Place.EMBEDDING_NORM_BIAS),
          gw.outer(OuterWeight.Place.EMBEDDING_NORM), gw.outer(OuterWeight.Place.EMBEDDING_NORM_BIAS), overwrite);
      step.kernels().embedRowsBackward(d, trace.ids, trace.places, trace.segments, gw.embedding(),
          gw.outer(OuterWeight.Place.POSITIONS), gw.outer(OuterWeight.Place.SEGMENTS), overwrite, padding);
      return;
    }
    step.kernels().unscaleEmbedded(dy, outer);
    if (gw.hasEmbedding()) {
      step.kernels().embeddingGradient(dy, trace.ids, gw.embedding(), overwrite && !gw.tied(), padding);
    }
    if (a.shape().embedding().isAdapted()) {
      step.kernels().embeddingAdapterGradient(dy, trace.ids, a.nativeEmbedding(), ga.embedding(),
          a.shape().embedding().scale(), padding);
    }
  }

  /** Makes ready for passes on several threads at once, over sequences of at most so many tokens. */
  public void prepare(int longest) {
    rotations.prepare(longest);
  }

  /** What the layers rotate by. */
  Rotations rotations() {
    return rotations;
  }

  @Override
  public void close() {
    scope.close();
  }
}
