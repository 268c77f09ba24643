package dev.fettle.internal.model;

import dev.fettle.internal.torch.NumberType;
import dev.fettle.internal.torch.Scope;
import dev.fettle.internal.torch.Tensor;
import java.util.Arrays;
import java.util.List;

/**
 * The decoder-only transformer: embedding, layers, final norm. Holds what all its users share (rotary angles); weights
 * and adapters come with each call. Not thread-safe.
 */
public final class Network implements AutoCloseable {
  /** Queries that attention takes at once. */
  static final int TILE = 128;
  /** The lowest layer, where the backward pass goes on below all layers. */
  public static final int TO_EMBEDDING = -1;

  private final ModelConfig config;
  private final NumberType type;
  private final Scope scope = new Scope();
  private final Tensor none = scope.call("nothing", false);
  private final Tensor noMasks = scope.list(List.of(none, none, none, none));
  private final Tensor frequencies;
  private Tensor[] angles;
  private int positions;

  public Network(ModelConfig config, NumberType type) {
    this.config = config;
    this.type = type;
    double[] f = config.rope().inverseFrequencies(config.headDim());
    float[] single = new float[f.length];
    for (int i = 0; i < f.length; i++) {
      single[i] = (float) f[i];
    }
    this.frequencies = scope.floats(single);
  }

  /** What is kept of a layer for the way back: all it saved, the input from which that is computed again, or nothing. */
  public enum Kept { ALL, INPUT, NOTHING }

  /** Keeps nothing: there is no way back. */
  public static final LayerVisitor NOTHING = (layer, trace) -> Kept.NOTHING;

  /** Keeps nothing below the lowest layer that the way back reaches, and only inputs below another one. */
  public static LayerVisitor from(int lowest, int kept) {
    return (layer, trace) -> layer < lowest ? Kept.NOTHING : layer < kept ? Kept.INPUT : Kept.ALL;
  }

  /** What a forward pass leaves for the backward pass. */
  public final class Trace {
    private final Packing packing;
    private final Tensor ids;
    private final Tensor cos;
    private final Tensor sin;
    private final Tensor[] saved = new Tensor[config.layers()];
    private final Tensor[] masks = new Tensor[config.layers()];
    private Tensor output;

    private Trace(Scope step, Packing packing) {
      this.packing = packing;
      this.ids = step.longs(packing.ids());
      Tensor index = step.longs(packing.positions());
      Tensor[] table = angles(packing.longest());
      this.cos = step.call("select_rows", table[0], index);
      this.sin = step.call("select_rows", table[1], index);
      Arrays.fill(masks, noMasks);
    }

    /** The output of the last layer, before the final norm: [rows, hidden]. */
    public Tensor output() {
      return output;
    }

    /** The queries, keys and values of a layer, rotated: [rows, heads, dim] within the list the layer saved. */
    Tensor saved(int layer) {
      return saved[layer];
    }
  }

  /** The computation's number type. */
  public NumberType type() {
    return type;
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
    Trace trace = new Trace(step, packing);
    Tensor x = step.call("embed", w.embedding(), trace.ids, a.embeddingA(), a.embeddingB());
    for (int i = 0; i < config.layers(); i++) {
      trace.masks[i] = dropout.masks(step, a.shape(), i, packing.rows(), type, noMasks);
      Tensor[] out = step.tuple("layer_forward", x, w.layer(i), a.layer(i), trace.masks[i], trace.cos, trace.sin,
          packing.runs(), shape(i), config.rmsNormEps());
      trace.saved[i] = out[1];
      Kept kept = keep.visit(i, trace);
      if (kept != Kept.ALL) {
        step.free(out[1]);
        trace.saved[i] = kept == Kept.INPUT ? step.list(List.of(x)) : null;
      }
      step.free(x);
      x = out[0];
    }
    trace.output = x;
    return trace;
  }

  /**
   * Runs the gradient of the output back through the layers, adding the gradients of weights and adapters, down to the
   * lowest layer that is trained; to the embedding where {@code lowest} is {@link #TO_EMBEDDING}.
   *
   * @param fresh whether the gradients of weights are set rather than added to
   */
  public void backward(Scope step, Trace trace, Tensor gradient, Weights w, Adapter a, WeightGradients gw,
      AdapterGradients ga, int lowest, boolean fresh) {
    Tensor dy = gradient;
    for (int i = config.layers() - 1; i >= Math.max(0, lowest); i--) {
      Tensor dx = step.call("layer_backward", dy, trace.saved[i], w.layer(i), a.layer(i), trace.masks[i], gw.layer(i),
          ga.layer(i), a.shape().blocks(i), a.shape().scales(i), gw.how(i, fresh), i > lowest, trace.cos, trace.sin,
          trace.packing.runs(), shape(i), config.rmsNormEps());
      step.free(dy);
      step.free(trace.saved[i]);
      trace.saved[i] = null;
      dy = dx;
    }
    if (gw.hasEmbedding()) {
      step.effect("embedding_gradient", dy, trace.ids, gw.embedding(), fresh && !gw.tied());
    }
    if (a.shape().embeddingRank() > 0) {
      step.effect("embedding_adapter_gradient", dy, trace.ids, a.embeddingA(), a.embeddingB(), ga.embeddingA(),
          ga.embeddingB(), a.shape().embeddingScale());
    }
    step.free(dy);
  }

  /** The dimensions that the kernels of a layer take. */
  long[] shape(int layer) {
    return new long[] {config.heads(), config.keyValueHeads(), config.slidingWindows().get(layer), TILE};
  }

  /** Makes ready for passes on several threads at once, over sequences of at most so many tokens. */
  public void prepare(int longest) {
    angles(longest);
  }

  /** Cosines and sines for at least so many positions. */
  Tensor[] angles(int atLeast) {
    if (atLeast > positions) {
      positions = Math.max(atLeast, Math.min(config.contextLength(), Math.max(512, 2 * positions)));
      Tensor[] old = angles;
      angles = scope.tuple("angles", frequencies, positions, type);
      if (old != null) {
        scope.free(old[0]);
        scope.free(old[1]);
      }
    }
    return angles;
  }

  Tensor none() {
    return none;
  }

  @Override
  public void close() {
    scope.close();
  }

  /** Told of each layer as it has run. */
  @FunctionalInterface
  public interface LayerVisitor {
    /** What is kept of the layer for the backward pass. */
    Kept visit(int layer, Trace trace);
  }
}
