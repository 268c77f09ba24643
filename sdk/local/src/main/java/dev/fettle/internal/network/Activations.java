package dev.fettle.internal.network;

import dev.fettle.internal.model.AdapterShape;
import dev.fettle.internal.model.LayerConfig;
import dev.fettle.internal.model.LayerConfig.Norm;
import dev.fettle.internal.model.LayerNumbers;
import dev.fettle.internal.model.LayerVector;
import dev.fettle.internal.model.ModelConfig;
import dev.fettle.internal.model.Product;
import dev.fettle.internal.model.Rope;
import dev.fettle.internal.torch.NumberType;
import dev.fettle.internal.torch.Torch;

/**
 * How many numbers passes through a layer hold for each row, a row being a token: the lists that the kernels of a layer
 * save, and what they need beside these at their busiest moment.
 */
public final class Activations {
  private final LayerConfig layer;
  private final long hidden;
  private final long inner;
  private final long routed;
  private final long mlp;
  private final long queries;
  private final long keys;
  private final long projected;

  /** Those of a layer. */
  public Activations(LayerConfig layer) {
    this.layer = layer;
    this.hidden = layer.inputs(Product.QKV);
    this.routed = layer.numbers().experts().perToken();
    this.inner = layer.inputs(layer.hasExperts() ? Product.EXPERTS_DOWN : Product.DOWN);
    this.mlp = layer.hasExperts() ? 2 * inner * routed + layer.outputs(Product.ROUTER) : layer.outputs(Product.GATE_UP);
    this.queries = layer.hasState() ? layer.numbers().delta().values() : layer.queryWidth();
    this.keys = layer.hasState() ? 0 : layer.keyValueWidth();
    this.projected = layer.outputs(Product.QKV);
  }

  /** What the layer reads, and what is left of one that is to be computed again. */
  public long input() {
    return hidden;
  }

  /** What the layer saves for the way back, its input included; see layer_forward. */
  public long kept() {
    long sums = layer.parts().stream().filter(p -> p instanceof Norm n && isOf(n)).count() * hidden;
    long middle = has(LayerVector.ATTENTION_SUM_NORM) ? 0 : hidden;
    long normed = has(LayerVector.Q_NORM) ? queries + keys : 0;
    return hidden + projected + normed + queries + middle + mlp + sums;
  }

  private static boolean isOf(Norm norm) {
    return norm.place() == LayerVector.ATTENTION_SUM_NORM || norm.place() == LayerVector.MLP_SUM_NORM
        || norm.place() == LayerVector.ATTENTION_OUT_NORM || norm.place() == LayerVector.MLP_OUT_NORM;
  }

  private boolean has(LayerVector place) {
    return layer.parts().stream().anyMatch(p -> p instanceof Norm n && n.place() == place);
  }

  /** What the layer needs beside what it saves: its output and the input of one of the last products. */
  public long forward() {
    if (layer.hasState() || layer.numbers().outputGate()) {
      return hidden + Math.max(inner, queries);
    }
    // A copy of a row for each of its experts, what these give for it, in the order of experts and of rows.
    return layer.hasExperts() ? hidden + routed * (3 * hidden + inner) + layer.numbers().experts().count() : hidden + inner;
  }

  /**
   * What the way back through the layer needs beside what was saved, attention scores left out: gradients of the output and
   * the input, and the gradients within the MLP or within attention.
   */
  public long backward() {
    if (layer.hasState() || layer.numbers().outputGate()) {
      return 2 * hidden + Math.max(2 * mlp, projected + 6 * queries + 10 * keys);
    }
    if (!layer.numbers().causal()) {
      return Math.max(4 * hidden + 2 * Math.max(inner, mlp), 12 * hidden);
    }
    long parts = layer.hasExperts() ? routed * (3 * hidden + 6 * inner) + 3L * layer.numbers().experts().count() : 2 * mlp;
    return 2 * hidden + Math.max(parts, 2 * queries + 6 * keys);
  }

  /**
   * What the layer needs for rows together, in numbers of the type in which is computed: attention scores, of which forward
   * two sets are held and backwards three; or what a scan from state to state takes, which is in float32.
   */
  public long working(long rows, long longest, NumberType type, boolean back) {
    if (layer.hasState()) {
      return (back ? Math.max(4 * rows * queries, scan(rows, longest, true)) : scan(rows, longest, false)) * Float.BYTES / type.size();
    }
    return (back ? 3 : 2) * scores(rows, longest);
  }

  /** As delta_scan and delta_scan_backward have it, each thread of so many tokens of heads at once. */
  private long scan(long rows, long longest, boolean back) {
    LayerNumbers n = layer.numbers();
    LayerNumbers.Delta d = n.delta();
    long group = d.valueHeads() / d.keyHeads();
    long chunk = Math.max(1, Math.min(longest, n.tile()));
    long padded = (longest + chunk - 1) / chunk * chunk;
    long most = Math.max(Torch.get().threads() * n.scores(), rows * group);
    long tokens = Math.min(rows * d.valueHeads(), most) * padded / Math.max(1, longest);
    long each = back ? 15L * d.keyDim() + 8L * d.valueDim() + 7 * chunk : 9L * d.keyDim() + 5L * d.valueDim() + 3 * chunk;
    return tokens * (each + (long) d.keyDim() * d.valueDim() / chunk);
  }

  private long scores(long rows, long longest) {
    LayerNumbers n = layer.numbers();
    long tiles = n.heads() * Math.min(longest, n.tile());
    if (n.causal() || n.window() > 0) {
      return rows * tiles;
    }
    return Math.min(rows * n.heads() * longest, Math.max(n.scores(), longest * tiles));
  }

  /** Keys and values of a row, which other parts of its sequence read. */
  public long shared() {
    return 2 * keys;
  }

  /**
   * What parts of sequences need besides: keys and values of all rows that they look back to, joined and once more by heads; on
   * the way back their gradients too.
   */
  public long joined(long seen, boolean back) {
    return (back ? 4 : 2) * shared() * seen;
  }

  /** Cosines and sines. */
  public long angles() {
    return layer.rope().map(Rope::dim).orElse(0);
  }

  /** The dropout masks of a layer's adapters. */
  public static long masks(AdapterShape shape, int layer) {
    return shape.adapted(layer).stream().mapToLong(product -> shape.inputs(layer, product)).sum();
  }

  /** What the way back through a layer holds of gradients of its experts' B's until they are added; not a row but a thread. */
  public static long expertGradients(AdapterShape shape, int layer) {
    return shape.adapted(layer).stream().filter(Product::isOfExperts).mapToLong(product -> shape.sizeOfB(layer, product)).max().orElse(0);
  }

  /** The bytes of the logits of rows that go through the head at once, and of their softmax. */
  public static long logitBytes(ModelConfig config, NumberType type, long rows) {
    int each = type == NumberType.F32 ? 2 * Float.BYTES : type.size() + 2 * Float.BYTES;
    return Math.min(rows, Head.CHUNK) * config.vocabSize() * each;
  }
}
