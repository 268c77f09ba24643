package dev.fettle.internal.torch;

import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.jni.IValue;
import ai.djl.pytorch.jni.JniUtils;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.function.Function;

/** A native tensor, owned by a {@link Scope}. Not thread-safe. */
public final class Tensor extends NativeValue {
  private long[] shape;

  Tensor(IValue value) {
    super(value);
  }

  /** Its dimensions; none for a number. */
  public long[] shape() {
    if (shape == null) {
      shape = of(array -> JniUtils.getShape(array).getShape());
    }
    return shape.clone();
  }

  /** How many elements it has. */
  public long size() {
    long n = 1;
    for (long s : shape()) {
      n *= s;
    }
    return n;
  }

  /** Whether it stands for something that is absent. */
  public boolean isEmpty() {
    return size() == 0;
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
    return of(array -> array.toByteBuffer(false).order(ByteOrder.nativeOrder()));
  }

  private <R> R of(Function<PtNDArray, R> reader) {
    try (PtNDArray array = value().toTensor(Torch.get().manager())) {
      return reader.apply(array);
    }
  }

  /** Such as {@code Tensor[576, 1536]}. */
  @Override
  public String toString() {
    return isOpen() ? "Tensor" + Arrays.toString(shape()) : "Tensor[freed]";
  }
}
