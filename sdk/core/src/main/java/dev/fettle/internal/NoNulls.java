package dev.fettle.internal;

import dev.fettle.InvalidInputException;
import java.util.Collection;
import java.util.Map;
import java.util.Objects;

/** What {@link Objects#requireNonNull(Object, String)} is for one value, for arguments that hold several. */
public final class NoNulls {
  private NoNulls() {}

  /**
   * The values, none of which is null.
   *
   * @throws NullPointerException that names the argument, or its element as in {@code texts[3]}
   */
  public static <C extends Collection<?>> C in(C values, String name) {
    int i = 0;
    for (Object value : Objects.requireNonNull(values, name)) {
      element(value, name, i++);
    }
    return values;
  }

  /** The same of an array, or of the arguments of a varargs call. */
  public static <T> T[] in(T[] values, String name) {
    Objects.requireNonNull(values, name);
    for (int i = 0; i < values.length; i++) {
      element(values[i], name, i);
    }
    return values;
  }

  /** The same of a map's keys and values; a value is named by its key, as in {@code queries[q1]}. */
  public static <M extends Map<?, ?>> M in(M values, String name) {
    Objects.requireNonNull(values, name).forEach((key, value) -> {
      Objects.requireNonNull(key, () -> "a key of " + name);
      element(value, name, key);
    });
    return values;
  }

  /**
   * What a function of the user's has given.
   *
   * @throws InvalidInputException if that is null
   */
  public static <T> T given(T value, String by, Object argument) {
    if (value == null) {
      throw new InvalidInputException(by + " gave null for " + argument);
    }
    return value;
  }

  private static void element(Object value, String name, Object place) {
    Objects.requireNonNull(value, () -> name + "[" + place + "]");
  }
}
