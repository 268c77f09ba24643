package dev.fettle;

import java.util.Objects;

/**
 * An example as tokens, with the loss weight of each. Position 0 is never trained: nothing comes before it.
 *
 * @param tokens the token ids
 * @param weights one weight a token, 0 where nothing is learnt
 * @param text what the tokens were made of, where a chat template wrote it; else empty
 */
public record Rendered(int[] tokens, float[] weights, String text) {
  public Rendered {
    Objects.requireNonNull(tokens, "tokens");
    Objects.requireNonNull(weights, "weights");
    Objects.requireNonNull(text, "text");
    if (tokens.length != weights.length) {
      throw new InvalidInputException(tokens.length + " tokens but " + weights.length + " weights");
    }
  }

  /** Tokens that no chat template wrote. */
  public Rendered(int[] tokens, float[] weights) {
    this(tokens, weights, "");
  }

  /** The number of tokens. */
  public int length() {
    return tokens.length;
  }

  /** This as a training sequence: {@link Datum#of(int[], float[])}. */
  public Datum datum() {
    return Datum.of(tokens, weights);
  }

  @Override
  public String toString() {
    int trained = 0;
    for (float w : weights) {
      trained += w != 0 ? 1 : 0;
    }
    return "Rendered[" + tokens.length + " tokens, " + trained + " trained]";
  }
}
