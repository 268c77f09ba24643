package dev.fettle.internal.local;

import dev.fettle.ClosedException;
import dev.fettle.InvalidInputException;
import dev.fettle.MemoryPlan;
import dev.fettle.Renderer;
import dev.fettle.Sample;
import dev.fettle.SamplingParams;
import dev.fettle.Token;
import dev.fettle.Tokenizer;
import dev.fettle.internal.LiveRequest;
import dev.fettle.internal.ProgressMeter;
import dev.fettle.internal.SamplerBackend;
import dev.fettle.internal.TokenScores;
import dev.fettle.internal.network.Adapter;
import dev.fettle.internal.network.DecodeWeights;
import dev.fettle.internal.network.Decoder;
import dev.fettle.internal.network.Dropout;
import dev.fettle.internal.network.Head;
import dev.fettle.internal.network.Network;
import dev.fettle.internal.network.PackedAdapter;
import dev.fettle.internal.network.Packing;
import dev.fettle.internal.network.TargetRows;
import dev.fettle.internal.torch.Memory;
import dev.fettle.internal.torch.Scope;
import dev.fettle.internal.torch.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;

/** A frozen snapshot of weights on this machine. */
final class LocalSampler implements SamplerBackend {
  /** Sequences that are decoded together. */
  private static final int BATCH = 64;

  private final LocalModel model;
  private final Scope scope;
  private final TrainableModel.Frozen frozen;
  private final Set<LocalStream.Session> streams = new HashSet<>();
  private final DecodeForms forms;
  private final boolean sharesForms;
  private final MemoryPlan snapshot;
  private final Optional<Memory.Held> held;
  private final boolean sharesLive;
  private final LiveBatch live;
  private boolean open = true;

  LocalSampler(LocalModel model, Scope scope, Optional<Memory.Held> held, TrainableModel.Frozen frozen) {
    this.model = model;
    this.scope = scope;
    this.held = held;
    this.snapshot = held.map(Memory.Held::plan).orElse(new MemoryPlan(List.of()));
    this.frozen = frozen;
    Optional<DecodeForms> shared = model.forms(frozen.weights());
    this.sharesForms = shared.isPresent();
    this.forms = shared.orElseGet(() -> new DecodeForms(frozen.weights()));
    this.sharesLive = sharesForms && Decoder.canMix(frozen.adapter());
    this.live = sharesLive ? model.live() : live(model, forms);
  }

  /** A batch of samples that are decoded with some weights. */
  static LiveBatch live(LocalModel model, DecodeForms forms) {
    return new LiveBatch(model, decoders(model, forms));
  }

  private static LiveBatch.Decoders decoders(LocalModel model, DecodeForms forms) {
    return new LiveBatch.Decoders() {
      @Override
      public Decoder read(List<PackedAdapter> adapters, List<int[]> prompts, int copies) {
        return new Decoder(model.network(), forms.of(false), adapters, prompts, copies);
      }

      @Override
      public Decoder readOn(PackedAdapter adapter, LivePrefixes.Match beginning, int[] prompt, int copies) {
        return new Decoder(model.network(), forms.of(false), adapter, beginning.prefix(), beginning.shared(), prompt, copies);
      }
    };
  }

  @Override
  public Tokenizer tokenizer() {
    return model.tokenizer();
  }

  @Override
  public Renderer renderer() {
    return model.renderer();
  }

  @Override
  public CompletableFuture<List<List<Sample>>> sample(List<int[]> prompts, SamplingParams params, ProgressMeter meter) {
    check("prompts", prompts);
    return work(() -> {
      List<List<Sample>> out = new ArrayList<>();
      meter.expect((long) prompts.size() * params.samples(),
          params.samples() * prompts.stream().mapToLong(p -> Generation.room(p, params, model.contextLength())).sum());
      int together = together(prompts, params);
      for (int i = 0; i < prompts.size(); i += together) {
        List<int[]> some = prompts.subList(i, Math.min(prompts.size(), i + together));
        try (Generation g = begin(some, (long) i * params.samples(), params, meter)) {
          while (g.advance()) {
            continue;
          }
          List<Sample> samples = g.samples();
          for (int j = 0; j < some.size(); j++) {
            out.add(samples.subList(j * params.samples(), (j + 1) * params.samples()));
          }
        }
      }
      return out;
    });
  }

  @Override
  public void begin(LiveRequest request) {
    check("prompts", List.of(request.prompt()));
    if (request.apart()) {
      model.apart().add(request, this, frozen.adapter(), decoders(model, forms));
    } else {
      live.add(request, this, frozen.adapter());
    }
  }

  @Override
  public CompletableFuture<MemoryPlan> memoryPlan(List<int[]> prompts, SamplingParams params) {
    check("prompts", prompts);
    return work(() -> MemoryPlanner.plus(model.memory().weights(), snapshot, forms.plan(params.int8(), rows(prompts, params)),
        decoding(prompts, params)));
  }

  /** How many prompts go together: fewer where memory is short. */
  private int together(List<int[]> prompts, SamplingParams params) {
    int together = Math.min(prompts.size(), Math.max(1, BATCH / params.samples()));
    int[] longest = prompts.stream().max(Comparator.comparing(p -> p.length)).orElseThrow();
    while (together > 1 && !Memory.get().fits(plan(Collections.nCopies(together, longest), params).total())) {
      together /= 2;
    }
    return together;
  }

  @Override
  public Iterator<Token> stream(int[] prompt, SamplingParams params) {
    check("prompts", List.of(prompt));
    return new LocalStream(this, () -> begin(List.of(prompt), 0, params.samples(1), new ProgressMeter()));
  }

  boolean isOpen() {
    return open;
  }

  /** What samples end with when it is closed. */
  static ClosedException closed() {
    return new ClosedException("this sampler is closed");
  }

  void requireOpen() {
    EngineThread.requireOpen(open, "this sampler");
  }

  void begun(LocalStream.Session session) {
    streams.add(session);
  }

  void ended(LocalStream.Session session) {
    streams.remove(session);
  }

  private Generation begin(List<int[]> prompts, long first, SamplingParams params, ProgressMeter meter) {
    String what = "sampling " + params.samples() + " x " + prompts.size() + " continuations from " + model.name();
    Memory.get().require(plan(prompts, params), 0, what);
    List<int[]> sequences = new ArrayList<>();
    prompts.forEach(p -> {
      for (int i = 0; i < params.samples(); i++) {
        sequences.add(p);
      }
    });
    Set<Integer> ends = Generation.ends(model, params);
    DecodeWeights weights = forms.of(params.int8());
    Memory.Held caches = Memory.get().hold(decoding(prompts, params), what);
    try {
      Decoder decoder = new Decoder(model.network(), weights, frozen.adapter(), prompts, params.samples());
      return new Generation(decoder, caches, tokenizer(), sequences, first, params, ends, model.contextLength(), meter);
    } catch (RuntimeException | Error e) {
      caches.close();
      throw e;
    }
  }

  private static int rows(List<int[]> prompts, SamplingParams params) {
    return (int) Math.min(BATCH, (long) prompts.size() * params.samples());
  }

  /** With weights for decoding, if they are not there yet. */
  private MemoryPlan plan(List<int[]> prompts, SamplingParams params) {
    return MemoryPlanner.plus(forms.missing(params.int8(), rows(prompts, params)), decoding(prompts, params));
  }

  private MemoryPlan decoding(List<int[]> prompts, SamplingParams params) {
    return withAdapter(model.memory().sampling(prompts, params));
  }

  /** With the adapter as the network reads it. */
  private MemoryPlan withAdapter(MemoryPlan plan) {
    long opened = frozen.adapter().openedBytes();
    return opened == 0 ? plan : MemoryPlanner.plus(plan, MemoryPlanner.plan(MemoryPlanner.SNAPSHOT, opened));
  }

  @Override
  public CompletableFuture<List<float[]>> logprobs(List<int[]> sequences) {
    check("sequences", sequences);
    return work(() -> {
      List<float[]> out = new ArrayList<>();
      for (int[] tokens : sequences) {
        out.add(logprobs(tokens));
      }
      return out;
    });
  }

  private float[] logprobs(int[] tokens) {
    if (tokens.length < 2) {
      return new float[0];
    }
    return through(tokens, 0, (step, adapter, output, rows) -> new Head(frozen.weights(), adapter, 1)
        .logprobs(step, output, TargetRows.of(rows, Arrays.copyOfRange(tokens, 1, tokens.length))));
  }

  @Override
  public CompletableFuture<TokenScores> scores(int[] tokens, int from, int k, int[][] asked) {
    check("sequences", List.of(tokens));
    return work(() -> {
      TokenScoring scoring = new TokenScoring(tokens.length - 1 - from, Math.min(k, model.vocabSize()), asked);
      return through(tokens, from, (step, adapter, output, rows) -> {
        new Head(frozen.weights(), adapter, 1).read(step, output, rows, scoring);
        return scoring.result();
      });
    });
  }

  /** Reads something off the output of the last layer. */
  private interface Reader<T> {
    T from(Scope step, Adapter adapter, Tensor output, int[] rows);
  }

  private <T> T through(int[] tokens, int from, Reader<T> reader) {
    Network network = model.network();
    Memory.get().require(withAdapter(model.memory().forward(tokens.length - 1)), 0,
        "logprobs of " + tokens.length + " tokens with " + model.name());
    try (Scope step = new Scope()) {
      Packing packing = Packing.of(List.of(Arrays.copyOf(tokens, tokens.length - 1)));
      Adapter adapter = frozen.adapter().open(step);
      Network.Trace trace = network.forward(step, frozen.weights(), adapter, packing, Dropout.NONE, Network.NOTHING);
      int[] rows = new int[tokens.length - 1 - from];
      Arrays.setAll(rows, i -> from + i);
      return reader.from(step, adapter, trace.output(), rows);
    }
  }

  private void check(String what, List<int[]> sequences) {
    if (sequences.isEmpty()) {
      throw new InvalidInputException("no " + what + ": give at least one");
    }
    for (int i = 0; i < sequences.size(); i++) {
      BatchCheck.tokens(what + "[" + i + "]", sequences.get(i), model.config());
    }
  }

  @Override
  public void close() {
    EngineThread.get().run(() -> {
      open = false;
      List.copyOf(streams).forEach(LocalStream.Session::end);
      model.apart().end(this);
      if (sharesLive) {
        live.end(this, frozen.adapter());
      } else {
        live.close();
      }
      if (!sharesForms) {
        forms.close();
      }
      scope.close();
      held.ifPresent(Memory.Held::close);
      model.forget(this);
    });
  }

  private <T> CompletableFuture<T> work(Callable<T> work) {
    return EngineThread.get().submit(() -> {
      requireOpen();
      return work.call();
    });
  }
}
