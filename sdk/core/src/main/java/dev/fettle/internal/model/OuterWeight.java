package dev.fettle.internal.model;

/**
 * A weight outside the layers.
 *
 * @param place what it is
 * @param name in Hugging Face checkpoints
 * @param rows its rows, or elements where it is a vector
 * @param columns 0 for a vector
 */
public record OuterWeight(Place place, String name, long rows, long columns) {
  /** What weights outside the layers can be. */
  public enum Place {
    /** The embedding of tokens. */
    EMBEDDING,
    /** That of positions. */
    POSITIONS,
    /** That of kinds of segments. */
    SEGMENTS,
    EMBEDDING_NORM,
    EMBEDDING_NORM_BIAS,
    /** The norm after the last layer. */
    FINAL_NORM,
    /** The output embedding. */
    HEAD,
    /** Added to attention scores by the distance of query and key, for each head, in all layers. */
    ATTENTION_BIAS,
    FINAL_NORM_BIAS,
    /** A classifier's first linear layer. */
    LABEL_DENSE,
    LABEL_DENSE_BIAS,
    LABEL_NORM,
    LABEL_NORM_BIAS,
    /** A classifier's last linear layer. */
    LABELS,
    LABELS_BIAS
  }

  /** The name of the output embedding's module. */
  public static final String HEAD_MODULE = "lm_head";

  static OuterWeight head(long vocabulary, long hidden) {
    return new OuterWeight(Place.HEAD, HEAD_MODULE + ".weight", vocabulary, hidden);
  }

  static OuterWeight vector(Place place, String name, long size) {
    return new OuterWeight(place, name, size, 0);
  }

  long[] shape() {
    return columns == 0 ? new long[] {rows} : new long[] {rows, columns};
  }
}
