package dev.fettle.internal.local;

import dev.fettle.internal.LiveRequest;
import dev.fettle.internal.network.PackedAdapter;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * Requests that are decoded by themselves, token by token between all other work of the engine; one after the other, so that they
 * take the memory of one.
 */
final class ApartBatches {
  private final LocalModel model;
  /** Only on the engine thread; the first is at work. */
  private final Deque<Entry> entries = new ArrayDeque<>();

  private record Entry(LiveBatch batch, LiveRequest request, LocalSampler sampler, PackedAdapter adapter) {
    void begin() {
      batch.add(request, sampler, adapter);
    }
  }

  ApartBatches(LocalModel model) {
    this.model = model;
  }

  /** Takes a request on; on any thread. */
  void add(LiveRequest request, LocalSampler sampler, PackedAdapter adapter, LiveBatch.Decoders decoders) {
    EngineThread.get().later(() -> {
      entries.add(new Entry(LiveBatch.once(model, decoders, this::ended), request, sampler, adapter));
      if (entries.size() == 1) {
        entries.peek().begin();
      }
    });
  }

  private void ended(LiveBatch batch) {
    if (!entries.isEmpty() && entries.peek().batch == batch) {
      entries.poll();
      if (!entries.isEmpty()) {
        entries.peek().begin();
      }
    }
  }

  /** Ends what is at work for a sampler that has been closed, before its adapter goes; on the engine thread. */
  void end(LocalSampler sampler) {
    if (!entries.isEmpty() && entries.peek().sampler == sampler) {
      entries.peek().batch.close();
    }
  }
}
