package dev.fettle.internal.torch;

import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.ndarray.types.SparseFormat;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.jni.IValue;
import ai.djl.pytorch.jni.JniUtils;
import dev.fettle.Device;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;

/**
 * Runs kernels and owns what they return: closing the scope frees it all. One scope a step, one a model. Not thread-safe.
 */
public final class Scope implements AutoCloseable {
  private final Torch torch = Torch.get();
  private final Device device;
  private final Set<NativeValue> owned = Collections.newSetFromMap(new IdentityHashMap<>());
  private final Kernels kernels = (Kernels) Proxy.newProxyInstance(Kernels.class.getClassLoader(), new Class<?>[] {Kernels.class},
      (proxy, method, arguments) -> method.getDeclaringClass() == Object.class ? method.invoke(this, arguments)
          : KernelCall.of(method).run(this, arguments == null ? new Object[0] : arguments));

  /** On the device that this process computes on. */
  public Scope() {
    this(ComputeDevice.get());
  }

  /** On a device: where what is made from Java's values goes. */
  public Scope(Device device) {
    this.device = device;
  }

  /** The kernels; what they return belongs to this scope. */
  public Kernels kernels() {
    return kernels;
  }

  /** Where what is made from Java's values goes. */
  public Device device() {
    return device;
  }

  /** Zeros. */
  public Tensor zeros(NumberType type, long... shape) {
    return kernels.zeros(shape, type, device);
  }

  /** A tensor that stands for what is absent. */
  public Tensor none() {
    return kernels.emptyTensor(NumberType.F32, device);
  }

  /** A native list, built once and passed often. */
  public NativeList<Tensor> list(Tensor... tensors) {
    return list(List.of(tensors));
  }

  /** A native list, built once and passed often. */
  public NativeList<Tensor> list(List<Tensor> tensors) {
    List<PtNDArray> arrays = new ArrayList<>();
    try {
      for (Tensor t : tensors) {
        arrays.add(t.value().toTensor(torch.manager()));
      }
      return own(new NativeList<>(IValue.listFrom(arrays.toArray(PtNDArray[]::new))));
    } finally {
      arrays.forEach(PtNDArray::close);
    }
  }

  /** A native list of lists. */
  public NativeList<NativeList<Tensor>> lists(List<List<Tensor>> lists) {
    NativeList<Tensor> flat = list(lists.stream().flatMap(List::stream).toList());
    try {
      return kernels.nest(flat, lists.stream().mapToLong(List::size).toArray());
    } finally {
      free(flat);
    }
  }

  /** A native list of lists of anything; at least one. They stay alive with it. */
  public <T> NativeList<NativeList<T>> listOf(List<NativeList<T>> lists) {
    return own(new NativeList<>(IValue.listFrom(lists.stream().map(NativeValue::value).toArray(IValue[]::new))));
  }

  /** A native list of lists of numbers. */
  public NativeList<long[]> longLists(List<long[]> lists) {
    return kernels.nestInts(lists.stream().flatMapToLong(java.util.Arrays::stream).toArray(),
        lists.stream().mapToLong(l -> l.length).toArray());
  }

  /** A native list of lists of numbers. */
  public NativeList<double[]> doubleLists(List<double[]> lists) {
    return kernels.nestFloats(lists.stream().flatMapToDouble(java.util.Arrays::stream).toArray(),
        lists.stream().mapToLong(l -> l.length).toArray());
  }

  /** A tensor of 64-bit integers. */
  public Tensor longs(long... values) {
    ByteBuffer bytes = buffer(values.length * Long.BYTES);
    bytes.asLongBuffer().put(values);
    return copied(bytes, DataType.INT64, values.length);
  }

  /** A tensor of 64-bit integers. */
  public Tensor longs(int... values) {
    long[] wide = new long[values.length];
    for (int i = 0; i < values.length; i++) {
      wide[i] = values[i];
    }
    return longs(wide);
  }

  /** A tensor of 32-bit floats. */
  public Tensor floats(float... values) {
    ByteBuffer bytes = buffer(values.length * Float.BYTES);
    bytes.asFloatBuffer().put(values);
    return copied(bytes, DataType.FLOAT32, values.length);
  }

  /**
   * Writes the raw little-endian content of a direct buffer, elements of the given number type, into a tensor from an
   * element on. Nothing of the buffer is kept.
   */
  public void store(ByteBuffer direct, NumberType type, Tensor into, long start) {
    try (PtNDArray borrowed = borrow(direct, DataType.UINT8, direct.remaining());
        IValue raw = IValue.from(borrowed);
        IValue code = IValue.from((long) type.code());
        IValue at = IValue.from(start)) {
      torch.run("store", raw, code, into.value(), at).close();
    }
  }

  /** Takes a tensor or a list over from another scope. */
  public <V extends NativeValue> V adopt(V value, Scope from) {
    from.owned.remove(value);
    return own(value);
  }

  /** Frees a tensor or a list early. */
  public void free(NativeValue value) {
    owned.remove(value);
    value.close();
  }

  /** Frees everything that this scope owns. Idempotent. */
  @Override
  public void close() {
    owned.forEach(NativeValue::close);
    owned.clear();
  }

  <V extends NativeValue> V own(V value) {
    owned.add(value);
    return value;
  }

  private static ByteBuffer buffer(int size) {
    return ByteBuffer.allocateDirect(size).order(ByteOrder.nativeOrder());
  }

  /** Torch would only borrow the buffer's memory; a clone does not depend on when Java frees or unmaps it. */
  private Tensor copied(ByteBuffer direct, DataType type, int length) {
    if (length == 0) {
      return kernels.emptyTensor(type == DataType.INT64 ? NumberType.INT64 : NumberType.F32, device);
    }
    try (PtNDArray borrowed = borrow(direct, type, length);
        IValue value = IValue.from(borrowed)) {
      Tensor copy = own(new Tensor(torch.run("clone", value)));
      return device.equals(Device.cpu()) ? copy : kernels.toDevice(copy, device);
    }
  }

  private PtNDArray borrow(ByteBuffer direct, DataType type, int length) {
    return JniUtils.createNdFromByteBuffer(torch.manager(), direct, new Shape(length), type, SparseFormat.DENSE,
        torch.manager().getDevice());
  }
}
