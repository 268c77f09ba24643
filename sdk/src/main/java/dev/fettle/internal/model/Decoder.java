package dev.fettle.internal.model;

import dev.fettle.internal.torch.NumberType;
import dev.fettle.internal.torch.Scope;
import dev.fettle.internal.torch.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Continues several sequences at once, a token each per call, with cached keys and values. The prompts run through the
 * same {@link Network#forward} that training uses; several continuations of one prompt share that work. Closing frees
 * the cache. Not thread-safe.
 */
public final class Decoder implements AutoCloseable {
  private static final int GROWTH = 256;

  private final Network network;
  private final ModelConfig config;
  private final DecodeWeights weights;
  private final Adapter adapter;
  private final Scope scope = new Scope();
  private final long[] windows;
  private int[] lengths;
  private int room;
  private Tensor cache;
  private Tensor logits;

  /**
   * Reads the prompts.
   *
   * @param copies how many continuations each prompt gets; those of a prompt stand next to each other
   */
  public Decoder(Network network, DecodeWeights weights, Adapter adapter, List<int[]> prompts, int copies) {
    this.network = network;
    this.config = network.config();
    this.weights = weights;
    this.adapter = adapter;
    this.windows = config.slidingWindows().stream().mapToLong(Integer::longValue).toArray();
    this.lengths = new int[prompts.size() * copies];
    for (int i = 0; i < lengths.length; i++) {
      lengths[i] = prompts.get(i / copies).length;
    }
    this.room = Arrays.stream(lengths).max().orElse(0) + GROWTH;
    try {
      read(prompts, copies);
    } catch (RuntimeException | Error e) {
      scope.close();
      throw e;
    }
  }

  /**
   * The bytes of the caches of so many sequences at their busiest moment: they grow by being copied.
   *
   * @param longest the longest prompt
   * @param most how long a sequence may become
   */
  public static long cacheBytes(ModelConfig config, NumberType type, long sequences, long longest, long most) {
    long before = 0;
    long room = longest + GROWTH;
    while (room < most) {
      before = room;
      room *= 2;
    }
    return sequences * 2 * config.layers() * config.keyValueWidth() * type.size() * (before + room);
  }

  /** The logits of the next token of every sequence: [sequences, vocabulary], float32; valid until the next step. */
  public Tensor logits() {
    return logits;
  }

  /** Appends a token to every sequence. */
  public void step(int[] tokens) {
    try (Scope step = new Scope()) {
      int used = Arrays.stream(lengths).max().orElse(0) + 1;
      if (used > room) {
        room = 2 * room;
        keepRows(step, all());
      }
      Tensor[] angles = network.angles(used);
      boolean level = Arrays.stream(lengths).allMatch(n -> n == used - 1);
      Tensor next = step.call("decode_step", step.longs(tokens), step.longs(lengths), level,
          weights.weights().embedding(), weights.weights().finalNorm(), weights.head(), weights.layers(),
          weights.scales(), weights.packed(), adapter.allLayers(), cache, angles[0], angles[1], windows, used,
          config.heads(), config.keyValueHeads(), config.rmsNormEps());
      replaceLogits(step, next);
      for (int i = 0; i < lengths.length; i++) {
        lengths[i]++;
      }
    }
  }

  /** Drops all sequences but some, which keep their order; the logits are those of the sequences that stay. */
  public void keep(int[] sequences) {
    try (Scope step = new Scope()) {
      keepRows(step, sequences);
      replaceLogits(step, step.call("select_rows", logits, step.longs(sequences)));
      lengths = Arrays.stream(sequences).map(i -> lengths[i]).toArray();
    }
  }

  @Override
  public void close() {
    scope.close();
  }

  private void keepRows(Scope step, int[] sequences) {
    Tensor old = cache;
    cache = scope.adopt(step.call("cache_keep", old, step.longs(sequences), room), step);
    scope.free(old);
  }

  private void read(List<int[]> prompts, int copies) {
    Packing packing = Packing.of(prompts);
    try (Scope step = new Scope()) {
      long[] shape = {lengths.length, 2L * config.keyValueHeads(), room, config.headDim()};
      List<Tensor> parts = new ArrayList<>();
      for (int i = 0; i < config.layers(); i++) {
        parts.add(step.call("zeros", shape, network.type()));
      }
      cache = scope.list(parts);
      Network.Trace trace = network.forward(step, weights.weights(), adapter, packing, Dropout.NONE, (layer, t) -> {
        for (int i = 0; i < lengths.length; i++) {
          step.effect("cache_fill", t.saved(layer), packing.starts()[i / copies], lengths[i], parts.get(layer), i);
        }
        return Network.Kept.NOTHING;
      });
      int[] last = new int[lengths.length];
      for (int i = 0; i < last.length; i++) {
        last[i] = packing.starts()[i / copies] + lengths[i] - 1;
      }
      replaceLogits(step, new Head(weights.weights()).logits(step, trace.output(), last));
    }
  }

  private int[] all() {
    int[] out = new int[lengths.length];
    Arrays.setAll(out, i -> i);
    return out;
  }

  private void replaceLogits(Scope step, Tensor next) {
    if (logits != null) {
      scope.free(logits);
    }
    logits = scope.adopt(next, step);
  }
}
