package dev.fettle.examples;

import java.lang.reflect.Proxy;

/**
 * Has Ctrl-C do something else than end the process for a while. {@code sun.misc.Signal} is all that the JDK has for that; it is
 * called by reflection, as javac warns of its name and no annotation silences that. Where a JVM has it not, Ctrl-C stays
 * what it is.
 */
final class CtrlC {
  private CtrlC() {}

  /**
   * Does some work.
   *
   * @param pressed what Ctrl-C does meanwhile, on a thread of the JVM's
   */
  static void during(Runnable work, Runnable pressed) {
    Object before = handle(handler(pressed));
    try {
      work.run();
    } finally {
      if (before != null) {
        handle(before);
      }
    }
  }

  private static Object handler(Runnable pressed) {
    try {
      Class<?> type = Class.forName("sun.misc.SignalHandler");
      return Proxy.newProxyInstance(CtrlC.class.getClassLoader(), new Class<?>[] {type}, (proxy, method, arguments) -> {
        if (method.getDeclaringClass() == type) {
          pressed.run();
          return null;
        }
        return method.getName().equals("equals") ? proxy == arguments[0]
            : method.getName().equals("hashCode") ? (Object) System.identityHashCode(proxy) : "CtrlC";
      });
    } catch (ClassNotFoundException e) {
      return null;
    }
  }

  /** Makes one the handler and gives the one before it; null where none can be. */
  private static Object handle(Object handler) {
    try {
      Class<?> signal = Class.forName("sun.misc.Signal");
      return handler == null ? null : signal.getMethod("handle", signal, Class.forName("sun.misc.SignalHandler"))
          .invoke(null, signal.getConstructor(String.class).newInstance("INT"), handler);
    } catch (ReflectiveOperationException e) {
      return null;
    }
  }
}
