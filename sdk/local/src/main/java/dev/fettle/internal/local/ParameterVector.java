package dev.fettle.internal.local;

import dev.fettle.internal.torch.NumberType;
import dev.fettle.internal.torch.Scope;
import dev.fettle.internal.torch.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * All trained numbers as one flat float32 vector, with AdamW's two moments of the same length. Moments come into being
 * with the first step; the gradient is in {@link GradientVectors}.
 */
final class ParameterVector {
  /**
   * A named part of the vector.
   *
   * @param name as in checkpoints
   * @param offset its first element
   * @param rule how it is stepped
   */
  record Parameter(String name, long offset, long[] shape, ScaledGroup rule) {
    long size() {
      return size(shape);
    }

    static long size(long... shape) {
      long n = 1;
      for (long s : shape) {
        n *= s;
      }
      return n;
    }
  }

  /** Neighbours that are stepped alike. */
  record Run(long offset, long size, ScaledGroup rule) {}

  private final Scope scope;
  private final List<Parameter> parameters;
  private final List<Run> runs = new ArrayList<>();
  private final long size;
  private final Tensor values;
  private Tensor first;
  private Tensor second;

  ParameterVector(Scope scope, List<Parameter> parameters) {
    this.scope = scope;
    this.parameters = List.copyOf(parameters);
    this.size = parameters.stream().mapToLong(Parameter::size).sum();
    this.values = zeros();
    for (Parameter p : parameters) {
      Run last = runs.isEmpty() ? null : runs.get(runs.size() - 1);
      if (last != null && last.rule.equals(p.rule)) {
        runs.set(runs.size() - 1, new Run(last.offset, last.size + p.size(), p.rule));
      } else {
        runs.add(new Run(p.offset, p.size(), p.rule));
      }
    }
  }

  List<Parameter> parameters() {
    return parameters;
  }

  /** The whole vector, in as few pieces as there are different rules side by side. */
  List<Run> runs() {
    return runs;
  }

  long size() {
    return size;
  }

  Tensor values() {
    return values;
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

  /** What is in memory, in bytes. */
  long presentBytes() {
    return size * Float.BYTES * (1 + (first == null ? 0 : 1) + (second == null ? 0 : 1));
  }

  /** The values of a parameter. */
  Tensor values(Scope into, Parameter p) {
    return into.kernels().viewSlice(values, p.offset, p.shape);
  }

  private Tensor zeros() {
    return scope.zeros(NumberType.F32, size);
  }
}
