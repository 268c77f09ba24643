package dev.fettle.examples;

import dev.fettle.BaseModel;
import dev.fettle.FettleException;
// As in BenchProfile: kernels alone are for measurements, not for programs.
import dev.fettle.internal.torch.NumberType;
import dev.fettle.internal.torch.Scope;
import dev.fettle.internal.torch.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** The kernels that a layer consists of, each timed alone with the sizes of a LoRA step. */
final class LayerParts {
  private static final int REPEATS = 5;

  private final Scope scope;
  private final NumberType type;
  private final long rows;
  private final long rank;
  private final Tensor none;

  private LayerParts(Scope scope, NumberType type, long rows, long rank) {
    this.scope = scope;
    this.type = type;
    this.rows = rows;
    this.rank = rank;
    this.none = scope.call("nothing", false);
  }

  /** Seconds a step in all layers by kind of work; "rest" is what {@code whole} seconds in layers have beyond them. */
  static Map<String, Double> seconds(Map<String, Object> config, BaseModel model, Options options, double whole) {
    long batch = options.count(Option.BATCH);
    long length = options.count(Option.LENGTH);
    long hidden = number(config, "hidden_size");
    long inner = number(config, "intermediate_size");
    long heads = number(config, "num_attention_heads");
    long kv = number(config, "num_key_value_heads");
    long dim = number(config, "head_dim");
    long layers = number(config, "num_hidden_layers");
    long rank = options.count(Option.RANK, 16);
    Map<String, Double> parts = new LinkedHashMap<>();
    try (Scope scope = new Scope()) {
      LayerParts p = new LayerParts(scope, NumberType.of(model.dtype()), batch * length, rank);
      put(parts, "matrix products", layers, () -> p.linear(hidden, heads * dim, kv * dim, kv * dim)
          + p.linear(heads * dim, hidden) + p.linear(hidden, inner, inner) + p.linear(inner, hidden));
      put(parts, "attention", layers, () -> p.attention(batch, length, heads, kv, dim));
      put(parts, "norms", layers, () -> p.norms(hidden));
      put(parts, "element-wise", layers, () -> p.elementWise(inner, heads + kv, dim));
    }
    parts.put("rest", whole - parts.values().stream().filter(Objects::nonNull).mapToDouble(d -> d).sum());
    return parts;
  }

  private interface Timing {
    double seconds();
  }

  /** Null for a kernel that is no longer called as here: the rest of the profile still holds. */
  private static void put(Map<String, Double> parts, String name, long layers, Timing timing) {
    try {
      parts.put(name, layers * timing.seconds());
    } catch (FettleException e) {
      parts.put(name, null);
    }
  }

  /** One projection, or several of the same input, with adapters; forward and backward. */
  private double linear(long in, long... outs) {
    long out = Arrays.stream(outs).sum();
    long ranks = rank * outs.length;
    // The product of a layer that has so many projections, and the first of them among the seven.
    int product = outs.length == 3 ? 0 : outs.length == 2 ? 2 : 1;
    int first = outs.length == 3 ? 0 : outs.length == 2 ? 4 : 3;
    long[] blocks = new long[14];
    double[] scales = new double[7];
    for (int i = 0; i < outs.length; i++) {
      blocks[2 * (first + i)] = outs[i];
      blocks[2 * (first + i) + 1] = rank;
      scales[first + i] = 1;
    }
    Tensor x = random(rows, in);
    Tensor dy = random(rows, out);
    Tensor w = random(out, in);
    Tensor a = random(ranks, in);
    Tensor sb = random(out, ranks);
    List<Tensor> weights = places(12, new int[] {1, 5, 8, 10}[product], w);
    List<Tensor> adapters = places(8, 2 * product, a, sb);
    List<Tensor> gradients = places(16, 2 * product, scope.call("zeros", new long[] {ranks, in}, NumberType.F32),
        scope.call("zeros", new long[] {rank * out}, NumberType.F32));
    List<Tensor> nothing = places(12, 0);
    return time(() -> scope.call("linear", x, w, none, a, sb, none))
        + time(() -> scope.call("fused_backward", dy, x, weights, adapters, nothing, nothing, gradients, product, blocks,
            scales, new long[8], true));
  }

  /** Some tensors in their places in a list of so many. */
  private List<Tensor> places(int count, int at, Tensor... tensors) {
    List<Tensor> list = new ArrayList<>(Collections.nCopies(count, none));
    for (int i = 0; i < tensors.length; i++) {
      list.set(at + i, tensors[i]);
    }
    return list;
  }

  private double attention(long batch, long length, long heads, long kv, long dim) {
    Tensor q = random(rows, heads, dim);
    Tensor k = random(rows, kv, dim);
    Tensor v = random(rows, kv, dim);
    Tensor into = random(rows, heads + 2 * kv, dim);
    long[] runs = {batch, length};
    return time(() -> scope.call("packed_attention", q, k, v, runs, 0, 256))
        + time(() -> scope.call("packed_attention_backward", q, q, k, v, runs, 0, 256, into));
  }

  /** Both norms of a layer: forward, once more in the backward pass, and backward. */
  private double norms(long hidden) {
    Tensor x = random(rows, hidden);
    Tensor w = random(hidden);
    return 4 * time(() -> scope.call("rms_norm", x, w, 1e-5))
        + 2 * time(() -> scope.call("rms_norm_backward", x, x, w, 1e-5, none, false, x));
  }

  /** Ones and no angle: what works in place must not shrink to subnormal numbers, which are slow. */
  private double elementWise(long inner, long heads, long dim) {
    Tensor gateUp = constant(1, rows, 2 * inner);
    Tensor dh = random(rows, inner);
    Tensor gate = random(rows, inner);
    Tensor qk = random(rows, heads, dim);
    Tensor cos = constant(1, rows, 1, dim / 2);
    Tensor sin = constant(0, rows, 1, dim / 2);
    return 2 * time(() -> scope.call("swiglu", gateUp)) + time(() -> scope.call("swiglu_backward", dh, gate, gateUp))
        + 2 * time(() -> scope.call("rotate_", qk, cos, sin));
  }

  private Tensor constant(double value, long... shape) {
    return scope.call("constant", shape, value, type);
  }

  private Tensor random(long... shape) {
    return scope.call("normal", shape, 0.02, type);
  }

  private interface Call {
    Tensor result();
  }

  private double time(Call call) {
    double[] seconds = new double[REPEATS];
    for (int i = -1; i < REPEATS; i++) {
      long start = System.nanoTime();
      Tensor result = call.result();
      if (i >= 0) {
        seconds[i] = Figures.since(start);
      }
      scope.free(result);
    }
    return Figures.median(seconds);
  }

  private static long number(Map<String, Object> config, String key) {
    return ((Number) config.get(key)).longValue();
  }
}
