package dev.fettle.internal.model;

import dev.fettle.internal.torch.NumberType;

/**
 * How many numbers passes through a model hold for each row, a row being a token: the lists that the kernels of a layer
 * save, and what they need beside these at their busiest moment.
 */
public final class Activations {
  private final ModelConfig config;
  private final long hidden;
  private final long inner;
  private final long queries;
  private final long keys;

  /** Those of a model. */
  public Activations(ModelConfig config) {
    this.config = config;
    this.hidden = config.hiddenSize();
    this.inner = config.intermediateSize();
    this.queries = config.queryWidth();
    this.keys = config.keyValueWidth();
  }

  /** What a layer reads, and what is left of one that is to be computed again. */
  public long input() {
    return hidden;
  }

  /** What a layer saves for the way back, its input included; see layer_forward and encoder_forward. */
  public long kept() {
    if (config.encoder()) {
      return 7 * hidden + inner;
    }
    long normed = config.queryKeyNorm() ? queries + keys : 0;
    return 2 * hidden + queries + (queries + 2 * keys) + normed + 2 * inner;
  }

  /** What a layer needs beside what it saves: its output and the last product's input. */
  public long forward() {
    return hidden + inner;
  }

  /**
   * What the way back through a layer needs beside what was saved, attention scores left out: gradients of the output and
   * the input, and the gradients within the MLP or within attention.
   */
  public long backward() {
    if (config.encoder()) {
      return Math.max(4 * hidden + 2 * inner, 12 * hidden);
    }
    return 2 * hidden + Math.max(4 * inner, 2 * queries + 6 * keys);
  }

  /** The attention scores of rows, of which forward two sets are held and backwards three; not a row but all of them. */
  public long scores(long rows, long longest) {
    if (config.encoder()) {
      return Math.min(rows * config.heads() * longest,
          Math.max(EncoderNetwork.SCORES, config.heads() * longest * longest));
    }
    return rows * config.heads() * Math.min(longest, Network.TILE);
  }

  /** Cosines and sines. */
  public long angles() {
    return config.encoder() ? 0 : config.headDim();
  }

  /** The dropout masks of a layer's adapters. */
  public static long masks(AdapterShape shape, int layer) {
    long sum = 0;
    for (int group = 0; group < AdapterShape.GROUPS; group++) {
      sum += shape.rank(layer, group) == 0 ? 0 : shape.inputs(group);
    }
    return sum;
  }

  /** The bytes of the logits of rows that go through the head at once, and of their softmax. */
  public static long logitBytes(ModelConfig config, NumberType type, long rows) {
    int each = type == NumberType.F32 ? 2 * Float.BYTES : type.size() + 2 * Float.BYTES;
    return Math.min(rows, Head.CHUNK) * config.vocabSize() * each;
  }
}
