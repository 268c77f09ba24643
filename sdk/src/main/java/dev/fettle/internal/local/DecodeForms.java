package dev.fettle.internal.local;

import dev.fettle.internal.model.DecodeWeights;
import dev.fettle.internal.model.Weights;

/** The forms in which weights are decoded, each made when it is first asked for. Closing frees them. */
final class DecodeForms implements AutoCloseable {
  private final Weights weights;
  private DecodeWeights exact;
  private DecodeWeights int8;

  DecodeForms(Weights weights) {
    this.weights = weights;
  }

  DecodeWeights of(boolean rounded) {
    if (rounded) {
      if (int8 == null) {
        int8 = DecodeWeights.int8(weights);
      }
      return int8;
    }
    if (exact == null) {
      exact = DecodeWeights.exact(weights);
    }
    return exact;
  }

  /** The memory that a form would take, in bytes; 0 if it is there. */
  long missingBytes(boolean rounded) {
    if (rounded) {
      return int8 == null ? weights.layout().parameters() : 0;
    }
    return exact == null ? DecodeWeights.copiedBytes(weights.layout(), weights.type()) : 0;
  }

  @Override
  public void close() {
    if (exact != null) {
      exact.close();
      exact = null;
    }
    if (int8 != null) {
      int8.close();
      int8 = null;
    }
  }
}
