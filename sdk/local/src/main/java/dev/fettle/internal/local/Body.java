package dev.fettle.internal.local;

import dev.fettle.internal.network.Dropout;
import dev.fettle.internal.network.Packing;
import dev.fettle.internal.torch.Scope;
import dev.fettle.internal.torch.Tensor;

/** What gives each text some numbers, such as its vector, and takes the gradient of a loss by them back. */
interface Body {
  /** How many numbers a text has. */
  int width();

  /** Makes ready for passes on several threads over texts of at most so many tokens. */
  void prepare(int longest);

  /** Runs packed texts through; keeps what a backward pass needs only where one will come. */
  Pass forward(Scope step, Packing packing, Dropout dropout, boolean keep);

  /** A forward pass that has been made. */
  interface Pass {
    /** [texts as packed, width], float32. */
    Tensor values();

    /**
     * Adds the gradients of what is trained, from the gradient of the values.
     *
     * @param overwrite whether the gradients of weights are set rather than added to
     */
    void backward(Scope step, Tensor gradient, Gradients into, boolean overwrite);
  }
}
