package dev.fettle.internal.torch;

import ai.djl.pytorch.jni.IValue;
import dev.fettle.Device;
import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.RecordComponent;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** How a method of {@link Kernels} becomes a native call: its name, its arguments in turn, what it gives. */
final class KernelCall {
  private static final Map<Method, KernelCall> CALLS = new ConcurrentHashMap<>();

  private final String name;
  private final Class<?> gives;
  private final RecordComponent[] components;
  private final Constructor<?> constructor;

  private KernelCall(Method method) {
    this.name = kernelName(method.getName());
    this.gives = method.getReturnType();
    this.components = gives.isRecord() ? gives.getRecordComponents() : null;
    this.constructor = gives.isRecord() ? gives.getDeclaredConstructors()[0] : null;
  }

  static KernelCall of(Method method) {
    return CALLS.computeIfAbsent(method, KernelCall::new);
  }

  /** {@code layer_forward} for {@code layerForward}. */
  static String kernelName(String method) {
    return method.replaceAll("([A-Z])", "_$1").toLowerCase(Locale.ROOT);
  }

  Object run(Scope scope, Object... arguments) {
    IValue[] values = new IValue[arguments.length];
    List<IValue> temporary = new ArrayList<>();
    try {
      for (int i = 0; i < arguments.length; i++) {
        if (arguments[i] instanceof NativeValue v) {
          values[i] = v.value();
        } else {
          values[i] = value(arguments[i]);
          temporary.add(values[i]);
        }
      }
      return result(scope, Torch.get().timed(name, values));
    } finally {
      temporary.forEach(IValue::close);
    }
  }

  private Object result(Scope scope, IValue value) {
    if (gives == Tensor.class) {
      return scope.own(new Tensor(value));
    } else if (gives == NativeList.class) {
      return scope.own(new NativeList<>(value));
    }
    try (value) {
      if (gives == double.class) {
        return value.toDouble();
      } else if (gives == Tensor[].class) {
        return Arrays.stream(value.toIValueTuple()).map(each -> scope.own(new Tensor(each))).toArray(Tensor[]::new);
      } else if (constructor != null) {
        return record(scope, value.toIValueTuple());
      }
      return null;
    }
  }

  private Object record(Scope scope, IValue... parts) {
    Object[] values = new Object[parts.length];
    for (int i = 0; i < parts.length; i++) {
      values[i] = scope.own(components[i].getType() == Tensor.class ? new Tensor(parts[i]) : new NativeList<>(parts[i]));
    }
    try {
      return constructor.newInstance(values);
    } catch (InstantiationException | IllegalAccessException | InvocationTargetException e) {
      throw new IllegalStateException(name + " gives " + gives, e);
    }
  }

  private static IValue value(Object argument) {
    if (argument instanceof NumberType t) {
      return IValue.from((long) t.code());
    } else if (argument instanceof Long n) {
      return IValue.from(n);
    } else if (argument instanceof Double d) {
      return IValue.from(d);
    } else if (argument instanceof Boolean b) {
      return IValue.from(b);
    } else if (argument instanceof Device d) {
      return IValue.from(d.name());
    } else if (argument instanceof long[] a) {
      return IValue.listFrom(a);
    } else if (argument instanceof double[] a) {
      return IValue.listFrom(a);
    }
    throw new IllegalArgumentException("a kernel cannot take " + argument);
  }
}
