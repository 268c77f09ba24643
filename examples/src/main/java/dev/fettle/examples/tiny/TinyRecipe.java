package dev.fettle.examples.tiny;

/** How {@code fettle-tiny} is built and trained. */
public final class TinyRecipe {
  /** The longest sequence, in tokens. */
  public static final int CONTEXT = 512;
  /** The number of token ids. */
  public static final int VOCABULARY = 1024;

  private TinyRecipe() {}
}
