package dev.fettle.internal.local;

import dev.fettle.internal.model.ModelConfig;
import dev.fettle.internal.network.Activations;
import dev.fettle.internal.network.Dropout;
import dev.fettle.internal.network.Packing;
import dev.fettle.internal.torch.Memory;
import dev.fettle.internal.torch.NumberType;
import dev.fettle.internal.torch.Scope;
import dev.fettle.internal.torch.Tensor;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.UnaryOperator;

/**
 * A pass whose loss looks at the numbers of all texts together. Where the texts do not go through at once, they go through
 * twice (gradient caching, Gao et al. 2021): first for their numbers alone, then, with the loss's derivative by these
 * known, portion by portion for the gradients. What is held is bounded by a portion; the gradients are the same.
 */
final class GradientCache {
  /** Bytes of intermediate values that are held, over all lanes, rather than computed twice. */
  private static final long BYTES = Long.getLong("fettle.cachedbytes", 1L << 30);

  private final Body body;
  private final TrainableModel tuned;
  private final int tokens;

  GradientCache(Body body, TrainableModel tuned, int tokens) {
    this.body = body;
    this.tuned = tuned;
    this.tokens = tokens;
  }

  /** The tokens whose intermediate values are held at a time: as many as fit, but never less than a batch of 8,192. */
  static int tokens(ModelConfig config, NumberType type) {
    long room = Math.min(BYTES, Memory.get().room(0) / 4);
    return (int) Math.max(8192, room / (config.layers().stream().map(Activations::new).mapToLong(Activations::kept).sum() * type.size()));
  }

  /** The numbers of all texts: [texts, width], without dropout. */
  float[] forward(List<int[]> texts) {
    float[] values = new float[texts.size() * body.width()];
    Step.each(portions(texts, DataParallel.most()), portion -> {
      try (Scope step = new Scope()) {
        Packing packing = LocalEncoder.packing(texts, portion);
        scatter(body.forward(step, packing, Dropout.NONE, false).values(), packing, portion, values);
      }
    });
    return values;
  }

  /**
   * Adds the gradient of a loss to what has accumulated; on failure the gradient is what it was before.
   *
   * @param loss from the numbers of all texts to its derivative by each of them
   */
  void forwardBackward(List<int[]> texts, UnaryOperator<float[]> loss, boolean accumulated, long pass) {
    LengthBuckets portions = portions(texts, tuned.lanes());
    boolean whole = texts.stream().mapToLong(t -> t.length).sum() <= tokens;
    float[] values = new float[texts.size() * body.width()];
    Map<Long, Body.Pass> passes = new ConcurrentHashMap<>();
    List<Scope> kept = portions.lanes().stream().map(lane -> new Scope()).toList();
    try (Step step = new Step(tuned, portions, accumulated, pass)) {
      step.each(portion -> {
        if (whole) {
          passes.put(portion.number(), forward(kept.get(portion.lane()), texts, portion, true, values));
        } else {
          try (Scope scope = new Scope()) {
            forward(scope, texts, portion, false, values);
          }
        }
      });
      float[] derivative = loss.apply(values);
      step.each(portion -> {
        try (Scope scope = new Scope()) {
          Packing packing = LocalEncoder.packing(texts, portion.items());
          Body.Pass made = whole ? passes.get(portion.number()) : body.forward(scope, packing, portion.dropout(), true);
          made.backward(scope, gathered(scope, derivative, packing, portion.items()), portion.into(), portion.overwrite());
        }
      });
      step.keep();
    } finally {
      kept.forEach(Scope::close);
    }
  }

  private Body.Pass forward(Scope step, List<int[]> texts, Step.Portion portion, boolean keep, float[] values) {
    Packing packing = LocalEncoder.packing(texts, portion.items());
    Body.Pass made = body.forward(step, packing, portion.dropout(), keep);
    scatter(made.values(), packing, portion.items(), values);
    return made;
  }

  private LengthBuckets portions(List<int[]> texts, int most) {
    body.prepare(texts.stream().mapToInt(t -> t.length).max().orElse(1));
    return LengthBuckets.of(texts, most, Math.min(LengthBuckets.TOKENS, tokens));
  }

  private void scatter(Tensor values, Packing packing, List<Integer> portion, float[] out) {
    float[] packed = values.floats();
    int width = body.width();
    int[] places = LocalEncoder.places(packing);
    for (int i = 0; i < places.length; i++) {
      System.arraycopy(packed, places[i] * width, out, portion.get(i) * width, width);
    }
  }

  /** The rows of a portion's texts, in the order in which they are packed, out of those of all texts. */
  private Tensor gathered(Scope step, float[] all, Packing packing, List<Integer> portion) {
    int width = body.width();
    float[] packed = new float[portion.size() * width];
    int[] places = LocalEncoder.places(packing);
    for (int i = 0; i < places.length; i++) {
      System.arraycopy(all, portion.get(i) * width, packed, places[i] * width, width);
    }
    return step.kernels().viewSlice(step.floats(packed), 0, new long[] {portion.size(), width});
  }
}
