package dev.fettle.internal.torch;

import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.jni.IValue;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** A native tensor, or a native list of tensors, owned by a {@link Scope}. Not thread-safe. */
public final class Tensor implements AutoCloseable {
  private IValue value;

  Tensor(IValue value) {
    this.value = value;
    Torch.opened();
  }

  IValue value() {
    if (value == null) {
      throw new IllegalStateException("a native tensor is used after it was freed");
    }
    return value;
  }

  /** The elements of a 32-bit float tensor. */
  public float[] floats() {
    ByteBuffer bytes = bytes();
    float[] out = new float[bytes.remaining() / Float.BYTES];
    bytes.asFloatBuffer().get(out);
    return out;
  }

  /** The elements of a 64-bit integer tensor. */
  public long[] longs() {
    ByteBuffer bytes = bytes();
    long[] out = new long[bytes.remaining() / Long.BYTES];
    bytes.asLongBuffer().get(out);
    return out;
  }

  /** A copy of the elements of a contiguous tensor of 32-bit floats, 64-bit integers or bytes. */
  public ByteBuffer bytes() {
    try (PtNDArray array = value().toTensor(Torch.get().manager())) {
      return array.toByteBuffer(false).order(ByteOrder.nativeOrder());
    }
  }

  /** Frees the handle; the memory goes when no other tensor shares it. Idempotent. */
  @Override
  public void close() {
    if (value != null) {
      value.close();
      value = null;
      Torch.closed();
    }
  }
}
