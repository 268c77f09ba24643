package dev.fettle.internal.network;

import dev.fettle.internal.checkpoint.Pooling;
import dev.fettle.internal.torch.Scope;
import dev.fettle.internal.torch.Tensor;

/** Turns the rows of a text into its vector, and the gradient of the vectors into that of the rows. */
public final class Pooler {
  private final Pooling pooling;

  public Pooler(Pooling pooling) {
    this.pooling = pooling;
  }

  /**
   * The vectors of packed texts.
   *
   * @param pooled before they are brought to length 1
   * @param vectors [texts as packed, hidden], float32
   */
  public record Pooled(Tensor pooled, Tensor vectors) {}

  /** The vectors of the texts that went through a network. */
  public Pooled pool(Scope step, Network.Trace trace) {
    return pool(step, trace, 0);
  }

  /**
   * The same, for vectors alone: the first rows of each text, which are fewer than it has, are read and not pooled.
   *
   * @param unpooled how many
   */
  public Pooled pool(Scope step, Network.Trace trace, int unpooled) {
    Tensor pooled = step.kernels().pool(trace.output(), trace.packing().runs(), pooling.first(), unpooled);
    return new Pooled(pooled, pooling.normalised() ? step.kernels().unit(pooled) : pooled);
  }

  /** The gradient of the network's output, from that of the vectors: [texts as packed, hidden], float32. */
  public Tensor gradient(Scope step, Network.Trace trace, Pooled pooled, Tensor gradient) {
    Tensor d = pooling.normalised() ? step.kernels().unitBackward(gradient, pooled.pooled) : gradient;
    return step.kernels().poolBackward(d, trace.packing().runs(), pooling.first(), trace.output());
  }
}
