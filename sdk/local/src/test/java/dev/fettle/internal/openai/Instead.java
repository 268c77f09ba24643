package dev.fettle.internal.openai;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.function.Function;

/** What does as another does, but for one method. */
final class Instead {
  private Instead() {}

  static <T> T of(Class<T> type, T real, String method, Function<Object[], Object> other) {
    return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, (proxy, called, arguments) -> {
      if (called.getName().equals(method)) {
        return other.apply(arguments);
      }
      try {
        return called.invoke(real, arguments);
      } catch (InvocationTargetException e) {
        throw e.getCause();
      }
    }));
  }
}
