package dev.fettle.internal.local;

import dev.fettle.internal.network.Dropout;
import java.util.Arrays;
import java.util.List;
import java.util.function.BiConsumer;
import java.util.function.Consumer;

/**
 * One pass over a batch with a backward pass: portions of it on several lanes, each of which adds to a gradient of its own.
 * Closing it forgets what it computed, and the gradient is what it was before, unless {@link #keep} was called.
 */
final class Step implements AutoCloseable {
  /**
   * What goes through the network together.
   *
   * @param number of its place, among the portions of all lanes
   * @param items which of the batch's texts
   * @param into where its gradient is added
   * @param overwrite whether the gradients of weights hold nothing yet, not even zeros; there is one lane then
   */
  record Portion(int lane, long number, List<Integer> items, Dropout dropout, Gradients into, boolean overwrite) {}

  private final TrainableModel tuned;
  private final LengthBuckets buckets;
  private final long pass;
  private final GradientVectors.Pass vectors;
  private final Gradients[] gradients;

  /**
   * Begins.
   *
   * @param accumulated whether there is a gradient already, to which this pass adds
   * @param pass its number, which seeds its dropout
   */
  Step(TrainableModel tuned, LengthBuckets buckets, boolean accumulated, long pass) {
    this.tuned = tuned;
    this.buckets = buckets;
    this.pass = pass;
    this.vectors = tuned.gradients().begin(accumulated);
    this.gradients = new Gradients[buckets.lanes().size()];
    Arrays.setAll(gradients, vectors::lane);
  }

  /** Does some work for each portion of a batch, without a gradient. */
  static void each(LengthBuckets buckets, Consumer<List<Integer>> work) {
    each(buckets, (lane, portion) -> work.accept(portion));
  }

  /** The same, telling the lane too. */
  static void each(LengthBuckets buckets, BiConsumer<Integer, List<Integer>> work) {
    DataParallel.run(buckets.lanes().size(), lane -> buckets.lanes().get(lane).forEach(portion -> work.accept(lane, portion)));
  }

  /** Does some work for each portion; may be called again, and names the same portions then. */
  void each(Consumer<Portion> work) {
    int lanes = gradients.length;
    DataParallel.run(lanes, lane -> {
      List<List<Integer>> portions = buckets.lanes().get(lane);
      for (int i = 0; i < portions.size(); i++) {
        long number = (long) i * lanes + lane;
        Dropout dropout = new Dropout(tuned.dropout(), (tuned.seed() * 31 + pass) * 4099 + number);
        work.accept(new Portion(lane, number, portions.get(i), dropout, gradients[lane], vectors.overwrite() && i == 0));
      }
    });
  }

  /** Adds what all lanes computed to the gradient. */
  void keep() {
    vectors.keep();
  }

  @Override
  public void close() {
    vectors.close();
  }
}
