package dev.fettle.internal.model;

import dev.fettle.internal.torch.Scope;
import dev.fettle.internal.torch.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Continues several sequences at once, a token each per call, with cached keys and values. The prompts run through the
 * same {@link Network#forward} that training uses; several continuations of one prompt share that work.
 */
public final class Decoder implements AutoCloseable {
  private final Network network;
  private final ModelConfig config;
  private final Weights weights;
  private final Adapter adapter;
  private final Scope scope = new Scope();
  private final int[] lengths;
  private Tensor cache;
  private Tensor logits;

  /**
   * Reads the prompts.
   *
   * @param copies how many continuations each prompt gets; those of a prompt stand next to each other
   * @param room the most tokens, prompt included, that a sequence will reach
   */
  public Decoder(Network network, Weights weights, Adapter adapter, List<int[]> prompts, int copies, int room) {
    this.network = network;
    this.config = network.config();
    this.weights = weights;
    this.adapter = adapter;
    this.lengths = new int[prompts.size() * copies];
    List<Tensor> parts = new ArrayList<>();
    long rows = (long) lengths.length * config.keyValueHeads();
    for (int i = 0; i < 2 * config.layers(); i++) {
      parts.add(scope.call("zeros", new long[] {rows, room, config.headDim()}, network.type()));
    }
    for (int i = 0; i < lengths.length; i++) {
      lengths[i] = prompts.get(i / copies).length;
    }
    cache = scope.list(parts);
    read(prompts, copies, parts);
  }

  /** The logits of the next token of every sequence: [sequences, vocabulary], float32; valid until the next step. */
  public Tensor logits() {
    return logits;
  }

  /** The tokens that a sequence holds so far. */
  public int length(int sequence) {
    return lengths[sequence];
  }

  /** Appends a token to every sequence. */
  public void step(int[] tokens) {
    try (Scope step = new Scope()) {
      int used = Arrays.stream(lengths).max().orElse(0) + 1;
      Tensor[] angles = network.angles(used);
      long[] windows = config.slidingWindows().stream().mapToLong(Integer::longValue).toArray();
      Tensor next = step.call("decode_step", step.longs(tokens), step.longs(lengths), weights.embedding(),
          weights.finalNorm(), weights.head(), weights.allLayers(), adapter.allLayers(), network.noMasks(), cache,
          angles[0], angles[1], windows, used, network.shape(0), config.rmsNormEps());
      replaceLogits(step, next);
      for (int i = 0; i < lengths.length; i++) {
        lengths[i]++;
      }
    }
  }

  /** Frees the cache. */
  @Override
  public void close() {
    scope.close();
  }

  private void read(List<int[]> prompts, int copies, List<Tensor> parts) {
    Packing packing = Packing.of(prompts);
    try (Scope step = new Scope()) {
      Network.Trace trace = network.forward(step, weights, adapter, packing, Dropout.NONE, (layer, t) -> {
        for (int i = 0; i < lengths.length; i++) {
          int prompt = i / copies;
          step.effect("cache_fill", t.saved(layer), packing.starts()[prompt], lengths[i], parts.get(2 * layer),
              parts.get(2 * layer + 1), i, config.heads(), config.keyValueHeads());
        }
        return false;
      });
      int[] last = new int[lengths.length];
      for (int i = 0; i < last.length; i++) {
        last[i] = packing.starts()[i / copies] + lengths[i] - 1;
      }
      replaceLogits(step, new Head(weights).logits(step, trace.output(), last));
    }
  }

  private void replaceLogits(Scope step, Tensor next) {
    if (logits != null) {
      scope.free(logits);
    }
    logits = scope.adopt(next, step);
  }
}
