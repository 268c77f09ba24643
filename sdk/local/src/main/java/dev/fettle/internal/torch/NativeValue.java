package dev.fettle.internal.torch;

import ai.djl.pytorch.jni.IValue;

/** Something native that a {@link Scope} owns. */
public abstract class NativeValue implements AutoCloseable {
  private IValue value;

  NativeValue(IValue value) {
    this.value = value;
    Torch.opened();
  }

  final IValue value() {
    if (value == null) {
      throw new IllegalStateException("a native value is used after it was freed");
    }
    return value;
  }

  final boolean isOpen() {
    return value != null;
  }

  /** Frees the handle; the memory goes when nothing else shares it. Idempotent. */
  @Override
  public final void close() {
    if (value != null) {
      value.close();
      value = null;
      Torch.closed();
    }
  }
}
