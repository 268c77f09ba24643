package dev.fettle.internal.torch;

import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.ndarray.types.SparseFormat;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.jni.IValue;
import ai.djl.pytorch.jni.JniUtils;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;

/**
 * Calls kernels and owns what they return: closing the scope frees it all. One scope a step, one a model. Arguments
 * may be {@link Tensor}, a list of them, {@code Long}, {@code Integer}, {@code Double}, {@code Boolean},
 * {@code long[]}, {@code int[]} or {@code double[]}. Not thread-safe.
 */
public final class Scope implements AutoCloseable {
  private final Torch torch = Torch.get();
  private final Set<Tensor> owned = Collections.newSetFromMap(new IdentityHashMap<>());

  /** Calls a kernel that returns one tensor or one list of tensors. */
  public Tensor call(String kernel, Object... arguments) {
    return own(run(kernel, arguments));
  }

  /** Calls a kernel that returns a tuple. */
  public Tensor[] tuple(String kernel, Object... arguments) {
    try (IValue result = run(kernel, arguments)) {
      IValue[] parts = result.toIValueTuple();
      Tensor[] out = new Tensor[parts.length];
      for (int i = 0; i < parts.length; i++) {
        out[i] = own(parts[i]);
      }
      return out;
    }
  }

  /** Calls a kernel for its effect on its arguments. */
  public void effect(String kernel, Object... arguments) {
    run(kernel, arguments).close();
  }

  /** Calls a kernel that returns a number. */
  public double number(String kernel, Object... arguments) {
    try (IValue result = run(kernel, arguments)) {
      return result.toDouble();
    }
  }

  /** A native list, built once and passed often. */
  public Tensor list(List<Tensor> tensors) {
    return own(listOf(tensors));
  }

  /** A native list for each row of a table of tensors. */
  public Tensor[] lists(Tensor[][] rows) {
    return Arrays.stream(rows).map(row -> list(Arrays.asList(row))).toArray(Tensor[]::new);
  }

  /** One native list of all tensors of a table, row by row. */
  public Tensor flatList(Tensor[][] rows) {
    return list(Arrays.stream(rows).flatMap(Arrays::stream).toList());
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

  /** Takes a tensor over from another scope. */
  public Tensor adopt(Tensor tensor, Scope from) {
    from.owned.remove(tensor);
    owned.add(tensor);
    return tensor;
  }

  /** Frees one tensor early. */
  public void free(Tensor tensor) {
    owned.remove(tensor);
    tensor.close();
  }

  /** Frees everything that this scope owns. Idempotent. */
  @Override
  public void close() {
    owned.forEach(Tensor::close);
    owned.clear();
  }

  private static ByteBuffer buffer(int size) {
    return ByteBuffer.allocateDirect(size).order(ByteOrder.nativeOrder());
  }

  /** Torch would only borrow the buffer's memory; a clone does not depend on when Java frees or unmaps it. */
  private Tensor copied(ByteBuffer direct, DataType type, int length) {
    if (length == 0) {
      return call("nothing", type == DataType.INT64);
    }
    try (PtNDArray borrowed = borrow(direct, type, length);
        IValue value = IValue.from(borrowed)) {
      return own(torch.run("clone", value));
    }
  }

  private PtNDArray borrow(ByteBuffer direct, DataType type, int length) {
    return JniUtils.createNdFromByteBuffer(torch.manager(), direct, new Shape(length), type, SparseFormat.DENSE,
        torch.manager().getDevice());
  }

  private Tensor own(IValue value) {
    Tensor tensor = new Tensor(value);
    owned.add(tensor);
    return tensor;
  }

  private IValue run(String kernel, Object... arguments) {
    IValue[] values = new IValue[arguments.length];
    List<IValue> temporary = new ArrayList<>();
    try {
      for (int i = 0; i < arguments.length; i++) {
        if (arguments[i] instanceof Tensor t) {
          values[i] = t.value();
        } else {
          values[i] = value(arguments[i]);
          temporary.add(values[i]);
        }
      }
      return timed(kernel, values);
    } finally {
      temporary.forEach(IValue::close);
    }
  }

  private IValue timed(String kernel, IValue... values) {
    if (!Profile.on()) {
      return torch.run(kernel, values);
    }
    long start = System.nanoTime();
    IValue result = torch.run(kernel, values);
    Profile.add(kernel, System.nanoTime() - start);
    return result;
  }

  private static IValue value(Object argument) {
    if (argument instanceof NumberType t) {
      return IValue.from((long) t.code());
    } else if (argument instanceof Integer n) {
      return IValue.from(n.longValue());
    } else if (argument instanceof Long n) {
      return IValue.from(n);
    } else if (argument instanceof Double d) {
      return IValue.from(d);
    } else if (argument instanceof Boolean b) {
      return IValue.from(b);
    } else if (argument instanceof long[] a) {
      return IValue.listFrom(a);
    } else if (argument instanceof double[] a) {
      return IValue.listFrom(a);
    } else if (argument instanceof int[] a) {
      long[] wide = new long[a.length];
      for (int i = 0; i < a.length; i++) {
        wide[i] = a[i];
      }
      return IValue.listFrom(wide);
    } else if (argument instanceof List<?> list) {
      return listOf(list.stream().map(Tensor.class::cast).toList());
    }
    throw new IllegalArgumentException("a kernel cannot take " + argument.getClass().getName());
  }

  private static IValue listOf(List<Tensor> tensors) {
    List<PtNDArray> arrays = new ArrayList<>();
    try {
      for (Tensor t : tensors) {
        arrays.add(t.value().toTensor(Torch.get().manager()));
      }
      return IValue.listFrom(arrays.toArray(PtNDArray[]::new));
    } finally {
      arrays.forEach(PtNDArray::close);
    }
  }
}
