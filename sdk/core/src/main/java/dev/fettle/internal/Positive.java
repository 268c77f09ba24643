package dev.fettle.internal;

import dev.fettle.InvalidInputException;

/** Checks numbers of things, of which there must be one at least. */
public final class Positive {
  private Positive() {}

  /**
   * The value.
   *
   * @param name of the argument
   * @throws InvalidInputException if it is less than 1
   */
  public static int of(String name, int value) {
    if (value < 1) {
      throw new InvalidInputException(name + " " + value + ": give at least 1");
    }
    return value;
  }
}
