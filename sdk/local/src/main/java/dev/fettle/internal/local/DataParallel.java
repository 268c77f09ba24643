package dev.fettle.internal.local;

import dev.fettle.internal.Daemons;
import dev.fettle.internal.Futures;
import dev.fettle.internal.network.SequenceParts;
import dev.fettle.internal.torch.Torch;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.IntConsumer;

/**
 * Parts of a batch on several threads at once: no thread waits for another within an operation, so nothing is lost between the
 * many small ones. Each computes alone, and a busy process beside this one slows only the lane whose processor it takes, unless
 * they share a sequence, see {@link SequenceParts}.
 */
final class DataParallel {
  /** Bytes that the gradients of all lanes but the first may have together. */
  private static final long GRADIENTS = Long.getLong("fettle.lanebytes", 1L << 30);

  private static final ExecutorService HELPERS = Executors.newCachedThreadPool(Daemons.named("fettle-lane"));

  private DataParallel() {}

  /** How many lanes can run: the threads of an operation, when it runs alone. */
  static int most() {
    return Torch.get().threads();
  }

  /**
   * How many lanes can run that have a gradient each. It depends on nothing but sizes and threads: another number would
   * change the last bits of results.
   */
  static int most(long gradientBytes) {
    return most(gradientBytes, most());
  }

  static int most(long gradientBytes, int threads) {
    return (int) Math.min(threads, 1 + GRADIENTS / Math.max(1, gradientBytes));
  }

  /**
   * Does the work of lanes 0 to n - 1, the first on this thread; threads beyond n are shared out among operations. The
   * error of the lowest lane that failed is thrown.
   */
  static void run(int n, IntConsumer lane) {
    if (n <= 1) {
      for (int i = 0; i < n; i++) {
        lane.accept(i);
      }
      return;
    }
    Torch torch = Torch.get();
    int threads = torch.threads();
    List<CompletableFuture<Void>> lanes = new ArrayList<>();
    int each = Math.max(1, threads / n);
    torch.threads(each);
    try {
      for (int i = 1; i < n; i++) {
        int number = i;
        lanes.add(CompletableFuture.runAsync(() -> {
          torch.threads(each);
          lane.accept(number);
        }, HELPERS));
      }
      CompletableFuture<Void> first = new CompletableFuture<>();
      try {
        lane.accept(0);
        first.complete(null);
      } catch (Throwable e) {
        first.completeExceptionally(e);
      }
      lanes.add(0, first);
      lanes.forEach(l -> l.exceptionally(e -> null).join());
    } finally {
      torch.threads(threads);
    }
    lanes.forEach(Futures::joinUninterrupted);
  }
}
