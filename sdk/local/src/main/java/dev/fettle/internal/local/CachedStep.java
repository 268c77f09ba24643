package dev.fettle.internal.local;

import dev.fettle.internal.model.ModelConfig;
import dev.fettle.internal.network.Activations;
import dev.fettle.internal.network.Dropout;
import dev.fettle.internal.network.Packing;
import dev.fettle.internal.torch.Memory;
import dev.fettle.internal.torch.NumberType;
import dev.fettle.internal.torch.Scope;
import dev.fettle.internal.torch.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.UnaryOperator;

/**
 * A pass whose loss looks at the numbers of all texts together. Where the texts do not go through at once, they go through
 * twice (gradient caching, Gao et al. 2021): first for their numbers alone, then, with the loss's derivative by these
 * known, portion by portion for the gradients. What is held is bounded by a portion; the gradients are the same.
 */
final class CachedStep {
  /** Bytes of intermediate values that are held, over all lanes, rather than computed twice. */
  private static final long BYTES = Long.getLong("fettle.cachedbytes", 1L << 30);

  private final Body body;
  private final TrainableModel tuned;
  private final int tokens;

  CachedStep(Body body, TrainableModel tuned, int tokens) {
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
    LengthBuckets portions = portions(texts, DataParallel.most());
    DataParallel.run(portions.lanes().size(), lane -> {
      for (List<Integer> portion : portions.lanes().get(lane)) {
        try (Scope step = new Scope()) {
          Packing packing = LocalEncoder.packing(texts, portion);
          scatter(body.forward(step, packing, Dropout.NONE, false).values(), packing, portion, values);
        }
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
    try (GradientVectors.Pass vectors = tuned.gradients().begin(accumulated)) {
      Gradients[] into = new Gradients[portions.lanes().size()];
      Arrays.setAll(into, vectors::lane);
      new Passes(texts, portions, pass).run(loss, vectors.overwrite(), into);
      vectors.keep();
    }
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

  /** The two passes over the portions of a batch, or one where they all fit. */
  private final class Passes {
    private final List<int[]> texts;
    private final LengthBuckets portions;
    private final long pass;
    private final float[] values;

    Passes(List<int[]> texts, LengthBuckets portions, long pass) {
      this.texts = texts;
      this.portions = portions;
      this.pass = pass;
      this.values = new float[texts.size() * body.width()];
    }

    /** @param overwrite whether the gradients of weights hold nothing yet; there is one lane then */
    void run(UnaryOperator<float[]> loss, boolean overwrite, Gradients... into) {
      int lanes = portions.lanes().size();
      Scope[] kept = new Scope[lanes];
      List<List<Body.Pass>> passes = new ArrayList<>();
      boolean whole = texts.stream().mapToLong(t -> t.length).sum() <= tokens;
      try {
        for (int lane = 0; lane < lanes; lane++) {
          kept[lane] = new Scope();
          passes.add(new ArrayList<>());
        }
        DataParallel.run(lanes, lane -> {
          for (int i = 0; i < portions.lanes().get(lane).size(); i++) {
            if (whole) {
              passes.get(lane).add(forward(kept[lane], lane, i, true));
            } else {
              try (Scope step = new Scope()) {
                forward(step, lane, i, false);
              }
            }
          }
        });
        float[] derivative = loss.apply(values);
        DataParallel.run(lanes, lane -> {
          for (int i = 0; i < portions.lanes().get(lane).size(); i++) {
            try (Scope step = new Scope()) {
              List<Integer> portion = portions.lanes().get(lane).get(i);
              Packing packing = LocalEncoder.packing(texts, portion);
              Body.Pass made = whole ? passes.get(lane).get(i) : body.forward(step, packing, dropout(lane, i), true);
              made.backward(step, gathered(step, derivative, packing, portion), into[lane], overwrite && i == 0);
            }
          }
        });
      } finally {
        for (Scope scope : kept) {
          if (scope != null) {
            scope.close();
          }
        }
      }
    }

    private Body.Pass forward(Scope step, int lane, int number, boolean keep) {
      List<Integer> portion = portions.lanes().get(lane).get(number);
      Packing packing = LocalEncoder.packing(texts, portion);
      Body.Pass made = body.forward(step, packing, dropout(lane, number), keep);
      scatter(made.values(), packing, portion, values);
      return made;
    }

    private Dropout dropout(int lane, int number) {
      long portion = (long) number * portions.lanes().size() + lane;
      return new Dropout(tuned.dropout(), (tuned.seed() * 31 + pass) * 4099 + portion);
    }
  }
}
