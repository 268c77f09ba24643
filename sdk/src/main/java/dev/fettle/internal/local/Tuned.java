package dev.fettle.internal.local;

import dev.fettle.Trainable;
import dev.fettle.Tuning;
import dev.fettle.internal.model.Adapter;
import dev.fettle.internal.model.Weights;
import dev.fettle.internal.torch.Scope;

/** What a training changes, and the weights that the network runs with. Owned by its training. */
interface Tuned extends AutoCloseable {
  Tuning tuning();

  ParameterVector parameters();

  Weights weights();

  Adapter adapter();

  /** Where gradients are added; lane 0 is the one that the optimizer reads. */
  Gradients gradients(int lane);

  /** How many lanes of gradients there may be. */
  int lanes();

  /** The lowest layer into which the backward pass must go. */
  int lowestLayer();

  /** The dropout probability of the adapters' inputs. */
  double dropout();

  /** Seeds the dropout. */
  long seed();

  /** Brings what the kernels read up to date with the parameters. */
  void refresh();

  /** The present weights and adapter, copied as far as later steps would change them. */
  Frozen freeze(Scope scope);

  Trainable trainable();

  @Override
  void close();

  /** Weights and adapter that no longer change. */
  record Frozen(Weights weights, Adapter adapter) {}
}
