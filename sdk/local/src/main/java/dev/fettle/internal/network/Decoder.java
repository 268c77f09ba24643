package dev.fettle.internal.network;

import dev.fettle.internal.model.LayerConfig;
import dev.fettle.internal.model.LayerNumbers;
import dev.fettle.internal.model.ModelConfig;
import dev.fettle.internal.model.Rope;
import dev.fettle.internal.torch.NativeList;
import dev.fettle.internal.torch.NumberType;
import dev.fettle.internal.torch.Scope;
import dev.fettle.internal.torch.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * Continues several sequences at once, a token each per call, with cached keys and values, or states. The prompts run through the
 * same {@link Network#forward} that training uses; several continuations of one prompt share that work. Closing frees
 * the cache. Not thread-safe.
 */
public final class Decoder implements AutoCloseable {
  private static final int GROWTH = 256;
  /** Tokens of a prompt that are read at once after its beginning; the logits of all of them are computed. */
  private static final int READ_ON = 64;

  private final Network network;
  private final ModelConfig config;
  private final DecodeWeights weights;
  private final Scope scope = new Scope();
  private final SequenceAdapters adapters;
  private final NativeList<Tensor> finalNorm;
  private final NativeList<long[]> dims;
  private final NativeList<double[]> reals;
  private final List<Optional<Rope>> ropes;
  private final long[] ropeOfLayer;
  private int[] lengths;
  /** The most sequences that there have been: a form of the weights that many were read with serves the last of them too. */
  private int most;
  private int room;
  private NativeList<Tensor> cache;
  private NativeList<Tensor> cosines;
  private NativeList<Tensor> sines;
  private int rotated;
  private Tensor logits;

  /** Reads prompts with one adapter. */
  public Decoder(Network network, DecodeWeights weights, PackedAdapter adapter, List<int[]> prompts, int copies) {
    this(network, weights, Collections.nCopies(prompts.size(), adapter), prompts, copies);
  }

  /**
   * Reads the prompts.
   *
   * @param adapterOf the adapter of each prompt; several only where each {@link #canMix}
   * @param copies how many continuations each prompt gets; those of a prompt stand next to each other
   */
  public Decoder(Network network, DecodeWeights weights, List<PackedAdapter> adapterOf, List<int[]> prompts, int copies) {
    this(network, weights, IntStream.range(0, prompts.size() * copies).mapToObj(i -> adapterOf.get(i / copies)).toList(),
        IntStream.range(0, prompts.size() * copies).map(i -> prompts.get(i / copies).length).toArray());
    guarded(() -> read(adapterOf, prompts, copies));
  }

  /**
   * Reads what a prompt has after its beginning, which another sequence with the same adapter began with too.
   *
   * @param beginning what is kept of that sequence
   * @param shared how many tokens they share, fewer than the prompt has
   */
  public Decoder(Network network, DecodeWeights weights, PackedAdapter adapter, Prefix beginning, int shared, int[] prompt, int copies) {
    this(network, weights, Collections.nCopies(copies, adapter), IntStream.generate(() -> prompt.length).limit(copies).toArray());
    guarded(() -> readOn(beginning, shared, prompt, copies));
  }

  private Decoder(Network network, DecodeWeights weights, List<PackedAdapter> adapters, int[] lengths) {
    this.network = network;
    this.config = network.config();
    this.weights = weights;
    this.ropes = config.layers().stream().map(LayerConfig::rope).distinct().toList();
    this.ropeOfLayer = config.layers().stream().mapToLong(layer -> ropes.indexOf(layer.rope())).toArray();
    this.lengths = lengths;
    this.most = lengths.length;
    this.room = room(longest());
    this.adapters = new SequenceAdapters(adapters);
    try {
      this.finalNorm = scope.list(weights.original().finalNorm(), scope.floats((float) config.eps()));
      this.dims = scope.longLists(config.layers().stream().map(l -> l.numbers().dims()).toList());
      this.reals = scope.doubleLists(config.layers().stream().map(l -> l.numbers().reals()).toList());
    } catch (RuntimeException | Error e) {
      close();
      throw e;
    }
  }

  private void guarded(Runnable reading) {
    try {
      reading.run();
    } catch (RuntimeException | Error e) {
      close();
      throw e;
    }
  }

  /** What is kept of one sequence for others that begin as it did. Closing frees it. */
  public static final class Prefix implements AutoCloseable {
    private final Scope scope;
    private final NativeList<Tensor> cache;

    private Prefix(Scope scope, NativeList<Tensor> cache) {
      this.scope = scope;
      this.cache = cache;
    }

    @Override
    public void close() {
      scope.close();
    }
  }

  /** Whether what a sequence leaves can be cut at any token: a state cannot. */
  public static boolean keepsPrefixes(ModelConfig config) {
    return config.layers().stream().noneMatch(LayerConfig::hasState);
  }

  /** A copy of what is kept of a sequence, {@link #length} tokens of it. */
  public Prefix prefix(int sequence) {
    try (Scope step = new Scope()) {
      Scope own = new Scope();
      return new Prefix(own, own.adopt(step.kernels().cacheKeep(cache, step.longs(sequence), lengths[sequence]), step));
    }
  }

  /** How many tokens of a sequence have been read. */
  public int length(int sequence) {
    return lengths[sequence];
  }

  /** Whether sequences with this adapter can be continued together with those of another. */
  public static boolean canMix(PackedAdapter adapter) {
    return SequenceAdapters.canMix(adapter);
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
    return cacheBytes(config, type, sequences, room) + (before > 0 ? cacheBytes(config, type, sequences, before) : 0);
  }

  /** The bytes of the caches of so many sequences with room for so many tokens each. */
  public static long cacheBytes(ModelConfig config, NumberType type, long sequences, long room) {
    long keys = 0;
    long states = 0;
    for (LayerConfig layer : config.layers()) {
      LayerNumbers.Delta d = layer.numbers().delta();
      keys += layer.hasState() ? 0 : 2 * layer.keyValueWidth();
      states += d.state() * Float.BYTES + (layer.hasState() ? (d.width() - 1L) * d.convolved() * type.size() : 0);
    }
    return sequences * (keys * type.size() * room + states);
  }

  /** The room for tokens that a decoder has at first whose longest sequence has so many. */
  public static int room(int longest) {
    return longest + GROWTH;
  }

  /** The logits of the next token of every sequence: [sequences, vocabulary], float32; valid until the next step. */
  public Tensor logits() {
    return logits;
  }

  /** Appends a token to every sequence. */
  public void step(int[] tokens) {
    try (Scope step = new Scope()) {
      int used = longest() + 1;
      if (used > room) {
        room = grown();
        keepRows(step, all());
      }
      rotate(used);
      boolean level = Arrays.stream(lengths).allMatch(n -> n == used - 1);
      replaceLogits(step, through(step, weights.form(most), tokens, lengths, level, used));
      for (int i = 0; i < lengths.length; i++) {
        lengths[i]++;
      }
    }
  }

  private Tensor through(Scope step, DecodeForm form, int[] tokens, int[] at, boolean level, int used) {
    return step.kernels().decodeStep(longs(tokens), longs(at), level, weights.original().embedding(), finalNorm, form.head(),
        form.products(), form.fewRows(), weights.rounded(), weights.vectors(), adapters.all(), cache, cosines, sines, ropeOfLayer,
        used, dims, reals, network.outer());
  }

  /** Drops all sequences but some, which keep their order; the logits are those of the sequences that stay. */
  public void keep(int[] sequences) {
    try (Scope step = new Scope()) {
      keepRows(step, sequences);
      replaceLogits(step, step.kernels().selectRows(logits, step.longs(sequences)));
      lengths = Arrays.stream(sequences).map(i -> lengths[i]).toArray();
      adapters.keep(sequences);
    }
  }

  /** Takes over the sequences of a decoder of the same model, which come after its own; it is closed. */
  public void join(Decoder others) {
    try (others; Scope step = new Scope()) {
      lengths = IntStream.concat(Arrays.stream(lengths), Arrays.stream(others.lengths)).toArray();
      most = Math.max(most, lengths.length);
      room = room(longest());
      adapters.join(others.adapters);
      NativeList<Tensor> old = cache;
      cache = scope.adopt(step.kernels().cacheJoin(old, others.cache, room), step);
      scope.free(old);
      replaceLogits(step, step.kernels().joined(logits, others.logits, 0));
    }
  }

  /** The room for tokens that the caches will have during the next step; while they grow, they are there twice. */
  public int nextRoom() {
    return longest() + 1 > room ? grown() : room;
  }

  /** Whether the caches grow with the next step. */
  public boolean isFull() {
    return longest() + 1 > room;
  }

  private int grown() {
    return 2 * room;
  }

  private int longest() {
    return Arrays.stream(lengths).max().orElse(0);
  }

  @Override
  public void close() {
    adapters.close();
    scope.close();
  }

  /** Makes ready to rotate so many positions. */
  private void rotate(int used) {
    if (used > rotated) {
      network.prepare(used);
      if (rotated > 0) {
        scope.free(cosines);
        scope.free(sines);
      }
      List<Tensor[]> tables = ropes.stream().map(network.rotations()::table).toList();
      cosines = scope.list(tables.stream().map(t -> t[0]).toList());
      sines = scope.list(tables.stream().map(t -> t[1]).toList());
      rotated = network.rotations().positions();
    }
  }

  private void keepRows(Scope step, int[] sequences) {
    NativeList<Tensor> old = cache;
    cache = scope.adopt(step.kernels().cacheKeep(old, step.longs(sequences), room), step);
    scope.free(old);
  }

  private void read(List<PackedAdapter> adapterOf, List<int[]> prompts, int copies) {
    try (Scope step = new Scope()) {
      List<Tensor> parts = new ArrayList<>();
      for (LayerConfig layer : config.layers()) {
        LayerNumbers.Delta d = layer.numbers().delta();
        parts.add(layer.hasState() ? step.zeros(NumberType.F32, lengths.length, (long) d.valueHeads() * d.keyDim(), d.valueDim())
            : step.zeros(network.type(), lengths.length, 2L * layer.numbers().kvHeads(), room, layer.headDim()));
      }
      for (LayerConfig layer : config.layers()) {
        LayerNumbers.Delta d = layer.numbers().delta();
        parts.add(step.zeros(network.type(), lengths.length, Math.max(0, d.width() - 1), d.convolved()));
      }
      cache = scope.list(parts);
      for (int first = 0; first < prompts.size();) {
        int end = first + 1;
        while (end < prompts.size() && adapterOf.get(end) == adapterOf.get(first)) {
          end++;
        }
        Tensor some = read(step, adapterOf.get(first), prompts.subList(first, end), first * copies, copies, parts);
        replaceLogits(step, first == 0 ? some : step.kernels().joined(logits, some, 0));
        first = end;
      }
    }
  }

  /** Reads prompts with one adapter into the caches of the sequences from {@code at} on; returns their logits. */
  private Tensor read(Scope step, PackedAdapter packed, List<int[]> prompts, int at, int copies, List<Tensor> parts) {
    try (Scope opened = new Scope()) {
      return read(step, packed.open(opened), prompts, at, copies, parts);
    }
  }

  private Tensor read(Scope step, Adapter adapter, List<int[]> prompts, int at, int copies, List<Tensor> parts) {
    Packing packing = Packing.of(prompts);
    Network.Trace trace = network.forward(step, weights.ofPrompts(), adapter, packing, Dropout.NONE, (layer, t) -> {
      for (int i = 0; i < prompts.size(); i++) {
        step.kernels().cacheFill(t.saved(layer), packing.starts()[i], prompts.get(i).length, weights.original().vectors(layer),
            config.layers().get(layer).numbers().dims(), parts.get(layer), parts.get(config.layers().size() + layer),
            at + (long) i * copies, copies);
      }
      return Network.Kept.NOTHING;
    });
    int[] last = new int[prompts.size() * copies];
    for (int i = 0; i < last.length; i++) {
      last[i] = packing.starts()[i / copies] + prompts.get(i / copies).length - 1;
    }
    return new Head(weights.ofPrompts(), adapter, 1).logits(step, trace.output(), last);
  }

  private void readOn(Prefix beginning, int shared, int[] prompt, int copies) {
    try (Scope step = new Scope()) {
      cache = scope.adopt(step.kernels().cacheKeep(beginning.cache, step.longs(0), room), step);
      rotate(prompt.length);
    }
    for (int at = shared; at < prompt.length; at += READ_ON) {
      int end = Math.min(prompt.length, at + READ_ON);
      try (Scope step = new Scope()) {
        Tensor all = through(step, weights.reading(), Arrays.copyOfRange(prompt, at, end), IntStream.range(at, end).toArray(), false, end);
        int last = end - at - 1;
        if (end == prompt.length) {
          replaceLogits(step, step.kernels().selectRows(all, step.longs(IntStream.generate(() -> last).limit(copies).toArray())));
        }
      }
    }
    if (copies > 1) {
      try (Scope step = new Scope()) {
        keepRows(step, new int[copies]);
      }
    }
  }

  private static long[] longs(int... values) {
    return Arrays.stream(values).asLongStream().toArray();
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
