package dev.fettle.internal.local;

import dev.fettle.internal.torch.NumberType;
import dev.fettle.internal.torch.Scope;
import dev.fettle.internal.torch.Tensor;
import java.util.List;

/**
 * All trained numbers as one flat float32 vector, with a gradient and AdamW's two moments of the same length: one pass
 * each serves the whole model. Moments come into being with the first step.
 */
final class ParameterVector {
  /**
   * A named part of the vector.
   *
   * @param name as in checkpoints
   * @param offset its first element
   */
  record Parameter(String name, long offset, long[] shape) {
    long size() {
      long n = 1;
      for (long s : shape) {
        n *= s;
      }
      return n;
    }
  }

  private final Scope scope;
  private final List<Parameter> parameters;
  private final long size;
  private final Tensor values;
  private final Tensor gradient;
  private Tensor first;
  private Tensor second;

  ParameterVector(Scope scope, List<Parameter> parameters) {
    this.scope = scope;
    this.parameters = List.copyOf(parameters);
    this.size = parameters.stream().mapToLong(Parameter::size).sum();
    this.values = zeros();
    this.gradient = zeros();
  }

  List<Parameter> parameters() {
    return parameters;
  }

  long size() {
    return size;
  }

  Tensor values() {
    return values;
  }

  Tensor gradient() {
    return gradient;
  }

  Tensor firstMoment() {
    if (first == null) {
      first = zeros();
    }
    return first;
  }

  Tensor secondMoment() {
    if (second == null) {
      second = zeros();
    }
    return second;
  }

  /** Part of a vector of this length as a matrix or vector that shares its memory. */
  Tensor part(Tensor vector, long offset, long... shape) {
    return scope.call("part", vector, offset, shape);
  }

  private Tensor zeros() {
    return scope.call("zeros", new long[] {size}, NumberType.F32);
  }
}
