package dev.fettle;

/**
 * What becomes of a sequence that is longer than its limit: that of {@link Dataset#maxLength(int)}, and never more than the
 * model's context. How many there were is said once, and stands in a recipe's {@code run.json}.
 */
public enum TooLong {
  /** It is cut at its end. Where no trained token is left, it is skipped. The default. */
  CUT,
  /** It is left out. */
  SKIP,
  /** Nothing is trained: an {@link InvalidInputException} before the first step says how many there are. */
  REFUSE
}
