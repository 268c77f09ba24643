package dev.fettle.internal.local;

import dev.fettle.Device;
import dev.fettle.MemoryPlan;
import dev.fettle.internal.VectorScan;
import dev.fettle.internal.torch.Memory;
import dev.fettle.internal.torch.NumberType;
import dev.fettle.internal.torch.Scope;
import dev.fettle.internal.torch.Tensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;

/**
 * Vectors in native memory, searched exactly: an 8-bit copy rules out nearly all of them, with a bound on its error,
 * and what is left is compared in double precision. All native work runs on the engine's thread.
 */
final class VectorStore implements VectorScan {
  private static final int TOGETHER = 4;
  private static final Comparator<Found> WORST_FIRST =
      Comparator.comparingDouble(Found::score).thenComparing(Comparator.comparingInt(Found::row).reversed());

  private final int rows;
  private final int dimensions;
  private final Scope scope;
  private final Memory.Held held;
  private final Tensor vectors;
  private final Tensor codes;
  private final Tensor scales;
  private final Tensor errors;
  private final Tensor norms;
  private final Tensor sums;
  private final Tensor score;
  private final Tensor lower;
  private boolean open = true;

  private VectorStore(int rows, int dimensions, Rows source) {
    this.rows = rows;
    this.dimensions = dimensions;
    held = Memory.get().hold(new MemoryPlan(List.of(new MemoryPlan.Part("vectors",
        (long) rows * (dimensions * (Float.BYTES + 1L) + (5 + 2 * TOGETHER) * Float.BYTES)))), "an index of " + rows + " vectors");
    scope = new Scope(Device.cpu());
    try {
      vectors = zeros(NumberType.F32, rows, dimensions);
      codes = scope.zeros(NumberType.INT8, rows, dimensions);
      scales = zeros(NumberType.F32, rows);
      errors = zeros(NumberType.F32, rows);
      norms = zeros(NumberType.F32, rows);
      score = zeros(NumberType.F32, rows);
      lower = zeros(NumberType.F32, rows);
      sums = scope.zeros(NumberType.INT32, 2L * TOGETHER * rows);
      ByteBuffer buffer = ByteBuffer.allocateDirect(Math.min(rows, CHUNK) * dimensions * Float.BYTES)
          .order(ByteOrder.LITTLE_ENDIAN);
      for (int start = 0; start < rows; start += CHUNK) {
        int count = Math.min(CHUNK, rows - start);
        source.read(start, count, buffer.clear().limit(count * dimensions * Float.BYTES));
        scope.store(buffer.flip(), NumberType.F32, vectors, (long) start * dimensions);
        scope.kernels().indexRows(vectors, start, count, codes, scales, errors, norms);
      }
    } catch (RuntimeException e) {
      scope.close();
      held.close();
      throw e;
    }
  }

  /** Copies all rows. */
  static VectorStore of(int rows, int dimensions, Rows source) {
    return EngineThread.get().call(() -> new VectorStore(rows, dimensions, source));
  }

  private Tensor zeros(NumberType type, long... shape) {
    return scope.zeros(type, shape);
  }

  @Override
  public List<List<Found>> search(List<float[]> queries, int count) {
    return EngineThread.get().call(() -> {
      requireOpen();
      List<List<Found>> all = new ArrayList<>();
      for (int i = 0; i < queries.size(); i += TOGETHER) {
        all.addAll(group(queries.subList(i, Math.min(i + TOGETHER, queries.size())), Math.min(count, rows)));
      }
      return all;
    });
  }

  private List<List<Found>> group(List<float[]> queries, int count) {
    float[] flat = new float[queries.size() * dimensions];
    for (int i = 0; i < queries.size(); i++) {
      System.arraycopy(queries.get(i), 0, flat, i * dimensions, dimensions);
    }
    List<List<Found>> all = new ArrayList<>();
    try (Scope step = new Scope(Device.cpu())) {
      Tensor[] candidates = step.kernels().indexCandidates(codes, scales, errors, norms, sums, score, lower,
          step.floats(flat), dimensions, count);
      long[] ids = candidates[0].longs();
      int start = 0;
      long[] counts = candidates[1].longs();
      for (int i = 0; i < counts.length; i++) {
        all.add(best(step, queries.get(i), ids, start, (int) counts[i], count));
        start += (int) counts[i];
      }
    }
    return all;
  }

  private List<Found> best(Scope step, float[] query, long[] ids, int from, int candidates, int count) {
    PriorityQueue<Found> best = new PriorityQueue<>(WORST_FIRST);
    for (int at = from; at < from + candidates; at += CHUNK) {
      long[] some = Arrays.copyOfRange(ids, at, Math.min(at + CHUNK, from + candidates));
      Tensor gathered = step.kernels().selectRows(vectors, step.longs(some));
      float[] x = gathered.floats();
      step.free(gathered);
      for (int i = 0; i < some.length; i++) {
        best.add(new Found((int) some[i], product(query, x, i * dimensions)));
        if (best.size() > count) {
          best.poll();
        }
      }
    }
    return best.stream().sorted(WORST_FIRST.reversed()).toList();
  }

  private static double product(float[] query, float[] x, int start) {
    double sum = 0;
    for (int d = 0; d < query.length; d++) {
      sum += (double) query[d] * x[start + d];
    }
    return sum;
  }

  @Override
  public ByteBuffer read(int start, int count) {
    return EngineThread.get().call(() -> {
      requireOpen();
      try (Scope step = new Scope(Device.cpu())) {
        return step.kernels().load(vectors, NumberType.F32, (long) start * dimensions, (long) count * dimensions).bytes();
      }
    });
  }

  @Override
  public int rows() {
    return rows;
  }

  @Override
  public int dimensions() {
    return dimensions;
  }

  private void requireOpen() {
    EngineThread.requireOpen(open, "the index");
  }

  @Override
  public void close() {
    EngineThread.get().run(() -> {
      open = false;
      scope.close();
      held.close();
      Memory.get().tidy();
    });
  }
}
