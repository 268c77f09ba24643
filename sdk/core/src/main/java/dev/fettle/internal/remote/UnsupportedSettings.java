package dev.fettle.internal.remote;

import dev.fettle.FettleException;
import dev.fettle.Tuning;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Optional;
import java.util.Set;

/**
 * Finds settings of a tuning that the protocol has no words for, whichever settings there may be: a kind of adapter that
 * is new here must be refused, and not be taken for the usual one.
 */
final class UnsupportedSettings {
  private UnsupportedSettings() {}

  /**
   * The first setting that differs from all of some tunings that can be said; its name and value.
   *
   * @param said settings that the protocol knows
   */
  static Optional<String> of(Tuning tuning, Set<String> said, Tuning... plain) {
    return Arrays.stream(tuning.getClass().getMethods())
        .filter(m -> m.getParameterCount() == 0 && !Modifier.isStatic(m.getModifiers()))
        .filter(m -> m.getDeclaringClass() != Object.class && !m.getName().equals("toString"))
        .filter(m -> !Tuning.class.isAssignableFrom(m.getReturnType()) && !said.contains(m.getName()))
        .filter(m -> Arrays.stream(plain).noneMatch(p -> value(m, p).equals(value(m, tuning))))
        .min(Comparator.comparing(Method::getName))
        .map(m -> m.getName() + " " + value(m, tuning));
  }

  private static String value(Method method, Tuning tuning) {
    try {
      return String.valueOf(method.invoke(tuning));
    } catch (ReflectiveOperationException e) {
      throw new FettleException(method.getName() + " of " + tuning + " cannot be read", e);
    }
  }
}
