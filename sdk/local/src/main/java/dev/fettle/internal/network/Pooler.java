package dev.fettle.internal.network;

import dev.fettle.internal.checkpoint.EncoderModules;
import dev.fettle.internal.checkpoint.VectorModule;
import dev.fettle.internal.torch.Scope;
import dev.fettle.internal.torch.Tensor;
import java.util.List;

/**
 * Turns the rows of a text into its vector: the network's last norm, where it has one, the pooling, and the modules after it;
 * and the gradient of the vectors into that of the rows.
 */
public final class Pooler implements AutoCloseable {
  private final Scope scope = new Scope();
  private final long[] modes;
  private final VectorModules modules;

  /** Gives a weight of a module, by its name in the module's file, in float32. */
  @FunctionalInterface
  public interface Source {
    /** The weight, of that shape, for a scope to own. */
    Tensor weight(Scope scope, VectorModule.Dense module, String name, long... shape);
  }

  public Pooler(EncoderModules modules, Source source) {
    this.modes = modules.pooling().codes();
    this.modules = new VectorModules(modules.after(), scope, source);
  }

  /**
   * The vectors of packed texts.
   *
   * @param rows that were pooled: normalised, where the network ends in a norm
   * @param norm what the way back through that norm needs
   * @param passed what went into each module after the pooling, and what came out of the last
   */
  public record Pooled(Tensor rows, Tensor[] norm, List<Tensor> passed) {
    /** [texts as packed, width], float32. */
    public Tensor vectors() {
      return passed.get(passed.size() - 1);
    }
  }

  /** The vectors of the texts that went through a network. */
  public Pooled pool(Scope step, Network.Trace trace, Weights weights) {
    return pool(step, trace, weights, 0);
  }

  /**
   * The same, for vectors alone: the first rows of each text, which are fewer than it has, are read and not pooled.
   *
   * @param unpooled how many
   */
  public Pooled pool(Scope step, Network.Trace trace, Weights weights, int unpooled) {
    Tensor[] norm = FinalNorm.forward(step, trace.output(), weights);
    Tensor pooled = step.kernels().pool(norm[0], trace.packing().runs(), modes, unpooled);
    return new Pooled(norm[0], norm, modules.forward(step, pooled));
  }

  /**
   * The gradient of the network's output, from that of the vectors: [texts as packed, width], float32; adds that of the norm.
   *
   * @param overwrite whether the gradients of weights are set rather than added to
   */
  public Tensor gradient(Scope step, Network.Trace trace, Pooled pooled, Tensor gradient, Weights weights, WeightGradients into,
      boolean overwrite) {
    Tensor d = step.kernels().poolBackward(modules.backward(step, pooled.passed, gradient), trace.packing().runs(), modes,
        pooled.rows);
    return FinalNorm.backward(step, d, trace.output(), pooled.norm, weights, into, overwrite);
  }

  @Override
  public void close() {
    scope.close();
  }
}
