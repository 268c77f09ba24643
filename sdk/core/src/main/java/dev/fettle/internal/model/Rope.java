package dev.fettle.internal.model;

/**
 * Rotary position embedding (Su et al. 2021): pair by pair, the first {@link #dim} numbers of a head turn by an angle that grows
 * with the position; the rest stay as they are. The kinds differ in how they reach beyond the context that a model was trained
 * on. The formulas are those of transformers ({@code modeling_rope_utils}), in 32-bit floats and its order of operations, so that
 * frequencies agree with it to the last bits. Immutable.
 *
 * <p>With some kinds the frequencies depend on how long the sequence is ({@link #dependsOnLength}). In training and scoring each
 * sequence turns by its own length, whatever else is in the batch; a prompt too. What counts is what goes through the network:
 * the last token of a text that is trained on or scored is only predicted, and is not part of it. While sampling, a new token
 * turns by the length that is reached with it, and keys in the cache stay as they were turned: what lies before the border of the
 * context has other angles than a pass over the whole text would give it, so that logprobs of samples across the border differ
 * from those of {@code forward}.
 *
 * <p>This is what transformers does with one sequence at a time, but for two things. It turns a batch by the longest of its
 * sequences, so that what a text gets depends on what stands beside it. And with {@link DynamicRope} a model there remembers the
 * longest sequence it has seen ({@code max_seq_len_cached}) and turns shorter ones by it, until one comes that is shorter than
 * the context; Fettle does as a model does that has seen nothing yet.
 */
public sealed interface Rope permits DefaultRope, LinearRope, Llama3Rope, YarnRope, DynamicRope, LongRope {
  /** How many numbers of a head turn, the first ones; even. */
  int dim();

  /** The base of the wavelengths. */
  double theta();

  /** Radians per position, for each of the dim / 2 pairs, in a sequence of so many tokens. */
  float[] frequencies(int length);

  /** What cosines and sines are multiplied with, whatever the length. */
  default double attentionFactor() {
    return 1;
  }

  /** Whether sequences of different lengths turn by different angles. */
  default boolean dependsOnLength() {
    return false;
  }

  /** A length whose frequencies are those of the given one: the same for all lengths that turn alike. */
  default int alike(int length) {
    return 1;
  }

  /** How long a context is reached, where {@code max_position_embeddings} is this. */
  default int contextLength(int positions) {
    return positions;
  }
}
