package dev.fettle.internal.network;

import dev.fettle.internal.Futures;
import dev.fettle.internal.model.LayerConfig;
import dev.fettle.internal.model.LayerNumbers;
import dev.fettle.internal.model.ModelConfig;
import dev.fettle.internal.torch.NativeList;
import dev.fettle.internal.torch.Scope;
import dev.fettle.internal.torch.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/**
 * One sequence whose rows several lanes share, a part each. As attention looks back only, a part needs of the others, layer by
 * layer, no more than the keys and values of the parts before it and, on the way back, what the parts after it give for the
 * gradients of its own. It waits for these, so that on either way each part is a layer behind its neighbour at least. Closing
 * it, once all lanes have ended, frees them.
 */
public final class SequenceParts implements AutoCloseable {
  /** Rows that are worth a lane. */
  public static final int LEAST = 128;

  private final int[] cuts;
  private final Scope scope = new Scope();
  private final List<List<CompletableFuture<NativeList<Tensor>>>> keys = new ArrayList<>();
  private final List<List<CompletableFuture<NativeList<Tensor>>>> gradients = new ArrayList<>();

  /**
   * Of a sequence.
   *
   * @param cuts the first row of each part, and after them the number of rows
   */
  public SequenceParts(ModelConfig config, int... cuts) {
    this.cuts = cuts;
    for (int part = 0; part < cuts.length - 1; part++) {
      keys.add(config.layers().stream().map(l -> new CompletableFuture<NativeList<Tensor>>()).toList());
      gradients.add(config.layers().stream().map(l -> new CompletableFuture<NativeList<Tensor>>()).toList());
    }
  }

  /** Whether sequences of a model can be cut: a state, or a token that sees later ones, needs the whole. */
  public static boolean canCut(ModelConfig config) {
    return config.isCausalLm() && config.layers().stream().noneMatch(LayerConfig::hasState);
  }

  /**
   * Where a sequence is cut for so many lanes at most, so that each has as much to do: later rows attend to more.
   *
   * @param least rows of a part
   * @return the first row of each part, and after them the number of rows
   */
  public static int[] cuts(ModelConfig config, int length, int most, int least) {
    int parts = canCut(config) ? Math.max(1, Math.min(most, length / least)) : 1;
    int step = Math.max(1, least / 2);
    int[] cuts = new int[parts + 1];
    for (int i = 1; i < parts; i++) {
      cuts[i] = cuts[i - 1] + step;
      while (cuts[i] + step < length && work(config, cuts[i] + step / 2) < work(config, length) * i / parts) {
        cuts[i] += step;
      }
    }
    cuts[parts] = length;
    return cuts;
  }

  /** Products of two numbers for the first rows, those of attention twice: they take twice as long. */
  private static double work(ModelConfig config, int rows) {
    double work = (double) rows * config.vocabSize() * config.hiddenSize();
    for (LayerConfig layer : config.layers()) {
      LayerNumbers numbers = layer.numbers();
      for (LayerConfig.Linear linear : layer.linears()) {
        double share = linear.product().isOfExperts() ? (double) numbers.experts().perToken() / numbers.experts().count() : 1;
        work += share * rows * linear.inputs() * linear.outputs();
      }
      double seen = numbers.window() > 0 ? Math.min(rows, numbers.window()) : rows;
      work += 4.0 * layer.queryWidth() * (seen * seen / 2 + seen * (rows - seen));
    }
    return work;
  }

  /** The part of a lane. */
  public Part part(int number) {
    return new Part(number);
  }

  /** Tells parts that wait for another that it has failed. */
  public void fail(Throwable cause) {
    keys.forEach(layers -> layers.forEach(f -> f.completeExceptionally(cause)));
    gradients.forEach(layers -> layers.forEach(f -> f.completeExceptionally(cause)));
  }

  private synchronized void give(CompletableFuture<NativeList<Tensor>> to, NativeList<Tensor> value, Scope from) {
    scope.adopt(value, from);
    to.complete(value);
  }

  private synchronized void free(CompletableFuture<NativeList<Tensor>> given) {
    scope.free(Futures.joinUninterrupted(given));
  }

  /** The lists of some parts at a layer, as kernels take them; waits for them. */
  private static NativeList<NativeList<Tensor>> all(Scope step, List<List<CompletableFuture<NativeList<Tensor>>>> parts, int layer) {
    if (parts.isEmpty()) {
      return step.lists(List.of());
    }
    return step.listOf(parts.stream().map(p -> Futures.joinUninterrupted(p.get(layer))).toList());
  }

  @Override
  public void close() {
    fail(new IllegalStateException("the pass has ended"));
    scope.close();
  }

  /** Some of the rows, on one lane. */
  public final class Part {
    private final int number;

    private Part(int number) {
      this.number = number;
    }

    /** Its first row. */
    public int from() {
      return cuts[number];
    }

    /** The row after its last. */
    public int to() {
      return cuts[number + 1];
    }

    private boolean isLast() {
      return number == keys.size() - 1;
    }

    /** Keys and values of the parts before it. */
    NativeList<NativeList<Tensor>> before(Scope step, int layer) {
      return all(step, keys.subList(0, number), layer);
    }

    /** Lets later parts read the keys and values that a layer has saved. */
    void ran(Scope step, int layer, NativeList<Tensor> saved, Network.Kept kept) {
      if (!isLast()) {
        give(keys.get(number).get(layer), step.kernels().keysOfPart(saved, kept != Network.Kept.ALL), step);
      } else if (kept == Network.Kept.NOTHING) {
        keys.subList(0, number).forEach(layers -> free(layers.get(layer)));
      }
    }

    /** What the parts after it give for the gradients of its keys and values. */
    NativeList<NativeList<Tensor>> after(Scope step, int layer) {
      return all(step, gradients.subList(number + 1, gradients.size()), layer);
    }

    /** Gives the parts before it the gradients of their keys and values; all parts after it are done with this layer. */
    void ranBack(Scope step, int layer, NativeList<Tensor> others) {
      if (!isLast()) {
        free(keys.get(number).get(layer));
      }
      if (number > 0) {
        give(gradients.get(number).get(layer), others, step);
      } else {
        step.free(others);
        gradients.subList(1, gradients.size()).forEach(layers -> free(layers.get(layer)));
      }
    }
  }
}
