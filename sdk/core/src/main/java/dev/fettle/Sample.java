package dev.fettle;

import java.util.Objects;

/**
 * A sampled continuation.
 *
 * @param tokens the new tokens; the one that ended the sample is the last of them
 * @param logprobs the logprob of each under the model itself, at temperature 1 with nothing cut off, in nats
 * @param text the new text, without what ended it
 * @param stopReason why it ended
 */
public record Sample(int[] tokens, float[] logprobs, String text, StopReason stopReason) {
  /** Why a sample ended. */
  public enum StopReason {
    /** An end token or a stop text came. */
    STOP,
    /** The limit of new tokens, or of the model's context, was reached. */
    LENGTH
  }

  public Sample {
    Objects.requireNonNull(tokens, "tokens");
    Objects.requireNonNull(logprobs, "logprobs");
    Objects.requireNonNull(text, "text");
    Objects.requireNonNull(stopReason, "stopReason");
  }

  @Override
  public String toString() {
    String shown = text.replaceAll("[\\p{Cntrl}<>]", " ");
    return "Sample[" + tokens.length + " tokens, " + (shown.length() > 50 ? shown.substring(0, 47) + "..." : shown) + "]";
  }
}
