package dev.fettle.internal.serve;

import dev.fettle.Batch;
import dev.fettle.Datum;
import dev.fettle.InvalidInputException;
import dev.fettle.Loss;
import dev.fettle.LossResult;
import dev.fettle.internal.wire.Passes;
import dev.fettle.internal.wire.TensorData;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * What a pass is to predict: a row of targets, or a matrix with several at each position.
 *
 * @param widths for each datum the columns of its targets, or 0 where they are one row
 */
record Targets(Batch batch, List<Integer> widths) {
  private static final String TARGETS = "target_tokens";
  private static final String WEIGHTS = "weights";
  private static final String MASK = "mask";
  private static final Set<String> SUPERVISED = Set.of(TARGETS, WEIGHTS, MASK);
  private static final Set<String> REINFORCED = Set.of(TARGETS, "logprobs", "advantages", WEIGHTS, MASK);

  /** What came of it, in the shape of the targets. */
  Passes.Output output(LossResult result) {
    List<Map<String, TensorData>> out = new ArrayList<>();
    for (int i = 0; i < widths.size(); i++) {
      float[] values = result.logprobs().get(i);
      int width = widths.get(i);
      out.add(Map.of("logprobs", width == 0 ? TensorData.of(values)
          : new TensorData(new long[] {values.length / width, width}, values, null)));
    }
    return new Passes.Output("ArrayRecord", out, result.metrics());
  }

  /** Takes the data of a message, one after the other. */
  static final class Builder {
    private final Loss loss;
    private final boolean supervised;
    private final List<Datum> data = new ArrayList<>();
    private final List<Integer> widths = new ArrayList<>();
    private long length;

    private final long most;

    /**
     * Begins.
     *
     * @param most how many targets one datum may have
     */
    Builder(Loss loss, long most) {
      this.most = most;
      this.loss = loss;
      this.supervised = loss instanceof Loss.CrossEntropy;
    }

    /** How many targets there are. */
    long length() {
      return length;
    }

    /** Adds a datum; returns what it became. */
    Datum add(String where, int[] tokens, Map<String, TensorData> inputs) {
      Set<String> unknown = new TreeSet<>(inputs.keySet());
      unknown.removeAll(supervised ? SUPERVISED : REINFORCED);
      Set<String> missing = new TreeSet<>(supervised ? Set.of(TARGETS) : Set.of(TARGETS, "logprobs", "advantages"));
      missing.removeAll(inputs.keySet());
      if (!unknown.isEmpty() || !missing.isEmpty()) {
        throw Problem.invalid(where + ".loss_fn_inputs has " + new TreeSet<>(inputs.keySet()) + "; "
            + (supervised ? "cross_entropy" : "this loss") + " needs " + (supervised ? Set.of(TARGETS)
            : List.of(TARGETS, "logprobs", "advantages")) + " and takes beside that only "
            + List.of(WEIGHTS, MASK));
      }
      int width = width(where, inputs.get(TARGETS), tokens.length);
      Datum out;
      try {
        int[] targets = inputs.get(TARGETS).asInts();
        float[] weights = weights(where, inputs, tokens.length, width);
        if (!supervised) {
          out = reinforced(where, tokens, targets, inputs, weights);
        } else if (width < 2) {
          out = Datum.supervised(tokens, targets, weights);
        } else {
          int[][] rows = new int[tokens.length][];
          float[][] each = new float[tokens.length][];
          for (int i = 0; i < rows.length; i++) {
            rows[i] = Arrays.copyOfRange(targets, i * width, (i + 1) * width);
            each[i] = Arrays.copyOfRange(weights, i * width, (i + 1) * width);
          }
          out = Datum.supervised(tokens, rows, each);
        }
      } catch (InvalidInputException e) {
        throw Problem.invalid(where + ": " + e.getMessage());
      }
      widths.add(width);
      data.add(out);
      length += out.targets().length;
      return out;
    }

    private int width(String where, TensorData targets, int positions) {
      long[] shape = targets.shape();
      if (targets.isRow()) {
        require(targets.size() == positions, where + ".target_tokens has " + targets.size() + " values");
        return 0;
      }
      require(supervised && shape.length == 2 && shape[0] == positions && shape[1] > 0
          && shape[1] <= most / positions && targets.size() == shape[0] * shape[1],
          where + ".target_tokens has the shape " + Arrays.toString(shape));
      return (int) shape[1];
    }

    private void require(boolean right, String what) {
      if (!right) {
        throw Problem.invalid(what + ": give one target for each position of model_input"
            + (supervised ? ", or a row of as many of them for each position" : ""));
      }
    }

    /** What each target counts for: 1, unless there are weights or a mask. */
    private static float[] weights(String where, Map<String, TensorData> inputs, int positions, int width) {
      float[] out = new float[positions * Math.max(1, width)];
      Arrays.fill(out, 1);
      for (String name : new String[] {WEIGHTS, MASK}) {
        if (inputs.get(name) != null) {
          float[] values = row(where, inputs, name, width == 0 ? new long[] {positions} : new long[] {positions, width});
          for (int i = 0; i < out.length; i++) {
            out[i] *= values[i];
          }
        }
      }
      return out;
    }

    private static float[] row(String where, Map<String, TensorData> inputs, String name, long[] shape) {
      TensorData tensor = inputs.get(name);
      long size = Arrays.stream(shape).reduce(1, (a, b) -> a * b);
      boolean row = shape.length == 1 && (tensor.isRow() || tensor.shape().length == 2 && tensor.shape()[1] == 1);
      if (tensor.size() != size || !row && !Arrays.equals(tensor.shape(), shape)) {
        throw Problem.invalid(where + ".loss_fn_inputs." + name + " has " + tensor.size() + " values of the shape "
            + Arrays.toString(tensor.shape()) + ", the targets have " + Arrays.toString(shape));
      }
      return tensor.asFloats();
    }

    /** A weight of a reinforcement loss multiplies it, which is the same as to multiply the advantage. */
    private Datum reinforced(String where, int[] tokens, int[] targets, Map<String, TensorData> inputs, float[] weights) {
      float[] logprobs = row(where, inputs, "logprobs", new long[] {tokens.length}).clone();
      float[] advantages = row(where, inputs, "advantages", new long[] {tokens.length}).clone();
      for (int i = 0; i < weights.length; i++) {
        if (weights[i] == 0) {
          logprobs[i] = 0;
          advantages[i] = 0;
        } else if (weights[i] < 0 || weights[i] != 1 && loss instanceof Loss.Dro) {
          throw Problem.invalid(where + ".loss_fn_inputs.weights[" + i + "] is " + weights[i] + ": "
              + (weights[i] < 0 ? "this loss takes none below 0" : "dro takes 0 and 1"));
        } else {
          advantages[i] *= weights[i];
        }
      }
      return Datum.reinforcement(tokens, targets, logprobs, advantages);
    }

    Targets build() {
      return new Targets(Batch.of(data), List.copyOf(widths));
    }
  }
}
