package dev.fettle.internal.data;

/** How sequences make up batches: {@code most} of them, or as many as have {@code most} tokens together. */
public record Grouping(int most, boolean byTokens) {
  boolean fits(int sequences, long tokens, int length) {
    return sequences == 0 || (byTokens ? tokens + length <= most : sequences < most);
  }

  @Override
  public String toString() {
    return "batches of " + most + (byTokens ? " tokens" : "");
  }
}
