package dev.fettle.internal.torch;

/**
 * A matrix in FBGEMM's order, in float16 or rounded to 8 bits, which products with few rows read fastest. It is no tensor: Java
 * sees it only as what a {@link NativeList} holds.
 */
public final class FewRows {
  /** FBGEMM takes so many inputs at a time and fills the last block up, in float16. */
  public static final int INPUTS = 512;
  /** So many outputs at a time. */
  public static final int OUTPUTS = 32;

  private FewRows() {}
}
