package dev.fettle.internal.local;

import dev.fettle.MemoryPlan;
import dev.fettle.NumericException;
import dev.fettle.internal.LiveRequest;
import dev.fettle.internal.network.Decoder;
import dev.fettle.internal.network.PackedAdapter;
import dev.fettle.internal.torch.Memory;
import dev.fettle.internal.torch.Scope;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * The samples that are made together, of one sampler or of several with adapters on the same weights: each joins when it has been
 * asked for and leaves when it ends. All that waits on the engine thread gets its turn after each token. Where memory is short,
 * samples wait, or are read anew later.
 */
final class LiveBatch implements AutoCloseable {
  /** Sequences that are continued together. */
  private static final int MOST = 64;
  /** Tokens of prompts that are read at once: whoever goes on waits meanwhile. */
  private static final int READ = 2048;

  private final LocalModel model;
  private final Decoders decoders;
  private final LivePrefixes prefixes = new LivePrefixes();
  private final boolean keepsPrefixes;
  private final Consumer<LiveBatch> ended;
  private final Deque<LiveSequence> waiting = new ArrayDeque<>();
  private List<LiveSequence> batch = new ArrayList<>();
  private Decoder decoder;
  private Memory.Held held;
  private boolean scheduled;
  private boolean turning;
  private RuntimeException closed;
  /** Held here alone: whoever asks for memory does not keep this from being collected. */
  private final Runnable spare;

  /** What reads prompts, with so many continuations of each. */
  interface Decoders {
    /** Of prompts with an adapter each. */
    Decoder read(List<PackedAdapter> adapters, List<int[]> prompts, int copies);

    /** Of one whose beginning has been read with the same adapter. */
    Decoder readOn(PackedAdapter adapter, LivePrefixes.Match beginning, int[] prompt, int copies);
  }

  LiveBatch(LocalModel model, Decoders decoders) {
    this(model, decoders, Decoder.keepsPrefixes(model.config()), batch -> { });
  }

  private LiveBatch(LocalModel model, Decoders decoders, boolean keepsPrefixes, Consumer<LiveBatch> ended) {
    this.model = model;
    this.decoders = decoders;
    this.keepsPrefixes = keepsPrefixes;
    this.ended = ended;
    this.spare = this::giveBack;
    if (keepsPrefixes) {
      Memory.get().spare(spare);
    }
  }

  /**
   * For one request alone.
   *
   * @param ended called when nothing is left of it
   */
  static LiveBatch once(LocalModel model, Decoders decoders, Consumer<LiveBatch> ended) {
    return new LiveBatch(model, decoders, false, ended);
  }

  /** Prompts are kept for others as long as nobody needs their memory. */
  private void giveBack() {
    EngineThread.get().run(() -> {
      if (!turning) {
        prefixes.close();
      }
    });
  }

  /** Takes samples of a sampler on; on any thread. */
  void add(LiveRequest request, LocalSampler sampler, PackedAdapter adapter) {
    EngineThread.get().later(() -> {
      Set<Integer> ends = Generation.ends(model, request.params());
      for (int i = 0; i < request.listeners().size(); i++) {
        LiveSequence sequence = new LiveSequence(request, i, model.tokenizer(), ends, model.contextLength(), sampler,
            adapter);
        if (!sampler.isOpen()) {
          sequence.fail(LocalSampler.closed());
        } else if (closed != null) {
          sequence.fail(closed);
        } else if (sequence.hasRoom()) {
          waiting.add(sequence);
        } else {
          sequence.end();
        }
      }
      schedule();
    });
  }

  /** How many samples are continued together now, for tests. */
  int size() {
    return batch.size();
  }

  private void schedule() {
    if (batch.isEmpty() && waiting.isEmpty()) {
      ended.accept(this);
    } else if (!scheduled) {
      scheduled = true;
      EngineThread.get().later(this::turn);
    }
  }

  private void turn() {
    scheduled = false;
    turning = true;
    try {
      waiting.removeIf(LiveSequence::done);
      keep(undone());
      admit();
      if (!batch.isEmpty()) {
        choose();
        keep(undone());
        step();
      }
    } catch (Throwable e) {
      fail(e);
    } finally {
      turning = false;
    }
    schedule();
  }

  private int[] undone() {
    return IntStream.range(0, batch.size()).filter(i -> !batch.get(i).done()).toArray();
  }

  /** Lets samples join that wait, as far as there is memory. */
  private void admit() {
    int copies = Math.min(copies(), MOST - batch.size());
    if (copies <= 0) {
      return;
    }
    LivePrefixes.Match beginning = prefixes.find(waiting.peek().prompt(), waiting.peek().adapter());
    List<int[]> prompts = new ArrayList<>();
    List<PackedAdapter> adapters = new ArrayList<>();
    List<LiveSequence> joining = new ArrayList<>();
    int read = 0;
    do {
      prompts.add(waiting.peek().prompt());
      adapters.add(waiting.peek().adapter());
      read += waiting.peek().prompt().length;
      for (int i = 0; i < copies; i++) {
        joining.add(waiting.poll());
      }
    } while (beginning == null && batch.size() + joining.size() + copies <= MOST && joinsToo(copies, READ - read));
    while (!fits(prompts, joining)) {
      if (!prefixes.isEmpty()) {
        prefixes.close();
        beginning = null;
      } else if (prompts.size() > 1 || !batch.isEmpty()) {
        prompts.remove(prompts.size() - 1);
        adapters.remove(adapters.size() - 1);
        for (int i = 0; i < copies; i++) {
          waiting.addFirst(joining.remove(joining.size() - 1));
        }
        if (prompts.isEmpty()) {
          return;
        }
      } else {
        break;
      }
    }
    join(adapters, prompts, joining, copies, beginning);
  }

  /** Whether the next prompt that waits is read together with those before it. */
  private boolean joinsToo(int copies, int room) {
    return copies() >= copies && waiting.peek().prompt().length <= room
        && prefixes.find(waiting.peek().prompt(), waiting.peek().adapter()) == null;
  }

  /** How many of the samples that wait next are of one prompt. */
  private int copies() {
    return (int) waiting.stream().takeWhile(s -> s.prompt() == waiting.peek().prompt() && s.adapter() == waiting.peek().adapter())
        .count();
  }

  private boolean fits(List<int[]> prompts, List<LiveSequence> joining) {
    return Memory.get().fits(plan(prompts, joining).total() - (held == null ? 0 : held.plan().total()));
  }

  private MemoryPlan plan(List<int[]> prompts, List<LiveSequence> joining) {
    int longest = prompts.stream().mapToInt(p -> p.length).max().orElse(0);
    MemoryPlan plan = model.memory().continued(prompts, (long) batch.size() + joining.size(),
        Math.max(decoder == null ? 0 : decoder.nextRoom(), Decoder.room(longest)));
    List<PackedAdapter> adapters = Stream.concat(batch.stream(), joining.stream()).map(LiveSequence::adapter).distinct()
        .toList();
    // The prompts of one of them are read at a time.
    long read = adapters.stream().mapToLong(PackedAdapter::openedBytes).max().orElse(0);
    long decoded = adapters.size() < 2 ? read : adapters.stream().mapToLong(PackedAdapter::stackedBytes).sum();
    return read + decoded == 0 ? plan : MemoryPlanner.plus(plan, MemoryPlanner.plan(MemoryPlanner.SNAPSHOT, read + decoded));
  }

  private void join(List<PackedAdapter> adapters, List<int[]> prompts, List<LiveSequence> joining, int copies,
      LivePrefixes.Match beginning) {
    Decoder more;
    try {
      hold(plan(prompts, joining));
      more = beginning == null ? decoders.read(adapters, prompts, copies)
          : decoders.readOn(adapters.get(0), beginning, prompts.get(0), copies);
      joining.forEach(s -> s.begin(beginning == null ? 0 : beginning.shared()));
    } catch (RuntimeException | Error e) {
      // Those that go on have their memory already.
      joining.forEach(s -> s.fail(e));
      return;
    }
    if (decoder == null) {
      decoder = more;
    } else {
      decoder.join(more);
    }
    batch.addAll(joining);
  }

  private void hold(MemoryPlan plan) {
    release();
    held = Memory.get().hold(plan, "continuing " + (batch.size() + 1) + " or more samples from " + model.name());
  }

  private void release() {
    if (held != null) {
      held.close();
      held = null;
    }
  }

  /** Chooses the next token of each; those with the same settings are chosen together. */
  private void choose() {
    try (Scope scope = new Scope()) {
      Choosing choosing = new Choosing(scope, decoder.logits(), batch);
      for (int i = 0; i < batch.size(); i++) {
        if (!Float.isFinite(choosing.logprob(i))) {
          throw new NumericException("the model gave a logprob of " + choosing.logprob(i)
              + " for a new token: its weights or adapter are not finite or far too large");
        }
      }
      for (int i = 0; i < batch.size(); i++) {
        batch.get(i).take(choosing.id(i), choosing.logprob(i), choosing.top(i), choosing.topLogprobs(i));
      }
    }
  }

  private void keep(int[] staying) {
    if (staying.length < batch.size()) {
      remember();
      if (staying.length == 0) {
        leave();
      } else {
        decoder.keep(staying);
        batch = new ArrayList<>(IntStream.of(staying).mapToObj(batch::get).toList());
      }
    }
  }

  /** Keeps what was read of samples that have ended. */
  private void remember() {
    for (int i = 0; i < batch.size() && keepsPrefixes; i++) {
      LiveSequence sequence = batch.get(i);
      if (sequence.done() && sequence.isFirst() && sequence.sampler().isOpen()) {
        int row = i;
        prefixes.keep(sequence.adapter(), sequence.tokens(decoder.length(i)), model.memory().kept(decoder.length(i)),
            () -> decoder.prefix(row));
      }
    }
  }

  /** The next token of all goes through the network; where the caches cannot grow, those that came last are read anew later. */
  private void step() {
    if (decoder != null && decoder.isFull() && !fits(List.of(), List.of())) {
      prefixes.close();
    }
    while (decoder != null && decoder.isFull() && batch.size() > 1 && !fits(List.of(), List.of())) {
      LiveSequence latest = batch.get(batch.size() - 1);
      latest.rewind();
      waiting.addFirst(latest);
      keep(IntStream.range(0, batch.size() - 1).toArray());
    }
    if (decoder != null) {
      if (decoder.isFull()) {
        hold(plan(List.of(), List.of()));
      }
      decoder.step(batch.stream().mapToInt(LiveSequence::last).toArray());
    }
  }

  private void leave() {
    batch = new ArrayList<>();
    release();
    closeDecoder();
  }

  private void closeDecoder() {
    if (decoder != null) {
      decoder.close();
      decoder = null;
    }
  }

  private void fail(Throwable error) {
    List<LiveSequence> failed = batch;
    leave();
    failed.forEach(s -> s.fail(error));
  }

  /** Ends the samples of a sampler that has been closed, before its adapter goes; on the engine thread. */
  void end(LocalSampler sampler, PackedAdapter adapter) {
    waiting.removeIf(s -> {
      boolean ends = s.sampler() == sampler;
      if (ends) {
        s.fail(LocalSampler.closed());
      }
      return ends;
    });
    batch.stream().filter(s -> s.sampler() == sampler).forEach(s -> s.fail(LocalSampler.closed()));
    keep(undone());
    prefixes.forget(adapter);
  }

  /** Ends all samples; on the engine thread. */
  @Override
  public void close() {
    closed = LocalSampler.closed();
    fail(closed);
    prefixes.close();
    waiting.forEach(s -> s.fail(closed));
    waiting.clear();
  }
}
