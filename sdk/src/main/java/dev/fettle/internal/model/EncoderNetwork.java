package dev.fettle.internal.model;

import dev.fettle.internal.torch.NumberType;
import dev.fettle.internal.torch.Scope;
import dev.fettle.internal.torch.Tensor;
import dev.fettle.internal.torch.Torch;
import java.util.Arrays;
import java.util.List;

/**
 * A BERT encoder: embeddings and their norm, layers, pooling. Weights and adapters come with each call. Passes may run
 * on several threads at once, each with a scope of its own.
 */
public final class EncoderNetwork implements AutoCloseable {
  /** Attention scores that the backward pass holds at once. */
  static final long SCORES = Long.getLong("fettle.scores", 3L << 20);

  private final ModelConfig config;
  private final NumberType type;
  private final Pooling pooling;
  private final Scope scope = new Scope();
  private final Tensor none;
  private PackedWeights packed;

  public EncoderNetwork(ModelConfig config, NumberType type, Pooling pooling) {
    this.config = config;
    this.type = type;
    this.pooling = pooling;
    Tensor nothing = scope.call("nothing", false);
    this.none = scope.list(List.of(nothing, nothing, nothing, nothing));
  }

  /** What a forward pass leaves for the backward pass. */
  public final class Trace {
    private final Packing packing;
    private final Tensor ids;
    private final Tensor positions;
    private final Tensor[] saved = new Tensor[config.layers()];
    private final Tensor[] masks = new Tensor[config.layers()];
    private Tensor sum;
    private Tensor[] normed;
    private Tensor output;
    private Tensor pooled;
    private Tensor vectors;

    private Trace(Scope step, Packing packing) {
      this.packing = packing;
      this.ids = step.longs(packing.ids());
      this.positions = step.longs(packing.positions());
      Arrays.fill(masks, none);
    }

    /** The vectors of the texts, in the order in which they were packed: [texts, hidden], float32. */
    public Tensor vectors() {
      return vectors;
    }
  }

  /** The configuration. */
  public ModelConfig config() {
    return config;
  }

  /** Has frozen weights in a second form, that is read faster, where the processor gains from it; not while passes run. */
  public void pack(Weights frozen) {
    unpack();
    if (type == NumberType.BF16 && Torch.get().bf16()) {
      packed = new PackedWeights(frozen);
    }
  }

  /** Gives the second form's memory back; not while passes run. */
  public void unpack() {
    if (packed != null) {
      packed.close();
      packed = null;
    }
  }

  private Tensor packed(Weights w, int layer) {
    return packed != null && packed.of(w) ? packed.layer(layer) : none;
  }

  /** How texts are pooled. */
  public Pooling pooling() {
    return pooling;
  }

  /**
   * Runs packed texts through all layers.
   *
   * @param lowest the lowest layer whose intermediate values are kept for a backward pass
   */
  public Trace forward(Scope step, Weights w, Adapter a, Packing packing, Dropout dropout, int lowest) {
    return forward(step, w, a, packing, dropout, lowest, 0);
  }

  /**
   * The same, for vectors alone: the first rows of each text, which are fewer than it has, are read and not pooled.
   *
   * @param unpooled how many
   */
  public Trace forward(Scope step, Weights w, Adapter a, Packing packing, Dropout dropout, int lowest, int unpooled) {
    Trace trace = new Trace(step, packing);
    trace.sum = step.call("embed_rows", w.embedding(), w.outer(Layout.POSITIONS), w.outer(Layout.SEGMENTS), trace.ids,
        trace.positions);
    trace.normed = step.tuple("layer_norm", trace.sum, w.outer(EncoderLayout.EMBEDDING_NORM),
        w.outer(Layout.EMBEDDING_NORM_BIAS), config.rmsNormEps());
    if (lowest != Network.TO_EMBEDDING) {
      step.free(trace.sum);
    }
    Tensor x = trace.normed[0];
    for (int i = 0; i < config.layers(); i++) {
      trace.masks[i] = dropout.masks(step, a.shape(), i, packing.rows(), type, none);
      Tensor[] out = step.tuple("encoder_forward", x, w.layer(i), packed(w, i), a.layer(i), trace.masks[i],
          packing.runs(), config.heads(), config.rmsNormEps());
      if (i >= lowest) {
        trace.saved[i] = out[1];
      } else {
        step.free(out[1]);
      }
      step.free(x);
      x = out[0];
    }
    trace.output = x;
    trace.pooled = step.call("pool", x, packing.runs(), pooling.first(), unpooled);
    trace.vectors = pooling.normalised() ? step.call("unit", trace.pooled) : trace.pooled;
    return trace;
  }

  /**
   * Runs the gradient of the vectors back, adding the gradients of weights and adapters, down to the lowest layer that is
   * trained; to the embeddings where {@code lowest} is {@link Network#TO_EMBEDDING}.
   *
   * @param gradient [texts, hidden], float32, texts as packed
   * @param fresh whether the gradients of weights are set rather than added to
   */
  public void backward(Scope step, Trace trace, Tensor gradient, Weights w, Adapter a, WeightGradients gw,
      AdapterGradients ga, int lowest, boolean fresh) {
    Tensor d = pooling.normalised() ? step.call("unit_backward", gradient, trace.pooled) : gradient;
    Tensor dy = step.call("pool_backward", d, trace.packing.runs(), pooling.first(), trace.output);
    for (int i = config.layers() - 1; i >= Math.max(0, lowest); i--) {
      Tensor dx = step.call("encoder_backward", dy, trace.saved[i], w.layer(i), a.layer(i), trace.masks[i], gw.layer(i),
          ga.layer(i), a.shape().blocks(i), a.shape().scales(i), gw.how(i, fresh), i > lowest, trace.packing.runs(),
          config.heads(), SCORES, config.rmsNormEps());
      step.free(dy);
      step.free(trace.saved[i]);
      trace.saved[i] = null;
      dy = dx;
    }
    if (lowest == Network.TO_EMBEDDING) {
      Tensor dsum = step.call("layer_norm_backward", dy, trace.sum, trace.normed[1], trace.normed[2],
          w.outer(EncoderLayout.EMBEDDING_NORM), w.outer(Layout.EMBEDDING_NORM_BIAS),
          gw.outer(EncoderLayout.EMBEDDING_NORM), gw.outer(Layout.EMBEDDING_NORM_BIAS), fresh);
      step.effect("embed_rows_backward", dsum, trace.ids, trace.positions, gw.embedding(), gw.outer(Layout.POSITIONS),
          gw.outer(Layout.SEGMENTS), fresh);
    }
    step.free(dy);
  }

  @Override
  public void close() {
    unpack();
    scope.close();
  }
}
