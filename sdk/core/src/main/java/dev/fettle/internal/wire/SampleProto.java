package dev.fettle.internal.wire;

import dev.fettle.internal.wire.Sampling.Likely;
import dev.fettle.internal.wire.Sampling.Result;
import dev.fettle.internal.wire.Sampling.Sequence;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Samples as protobuf ({@code SampleResponse}). */
public final class SampleProto {
  private static final float ABSENT = -99999;

  private SampleProto() {}

  /** The bytes of a result. */
  public static byte[] write(Result result) {
    Proto.Message out = new Proto.Message();
    for (Sequence s : result.sequences()) {
      out.message(1, new Proto.Message().number(1, "length".equals(s.stopReason()) ? 1 : 0)
          .bytes(2, Proto.little(s.tokens()))
          .bytes(3, s.logprobs() == null ? null : Proto.little(s.logprobs()))
          .bytes(4, s.topkSampledLogprobs() == null ? null : likely(s.topkSampledLogprobs())));
    }
    return out.bytes(2, result.promptLogprobs() == null ? null : Proto.little(scores(result.promptLogprobs())))
        .bytes(3, result.topkPromptLogprobs() == null ? null : likely(result.topkPromptLogprobs()))
        .number(4, result.promptCacheHitTokens() == null ? 0 : result.promptCacheHitTokens())
        .bytes(5, result.targetPromptLogprobs() == null ? null : PassProto.tensor(result.targetPromptLogprobs()).toBytes())
        .toBytes();
  }

  /** Rows of one width; what is not there has a logprob that none has. */
  private static byte[] likely(List<List<Likely>> rows) {
    int k = rows.stream().filter(r -> r != null).mapToInt(List::size).max().orElse(0);
    int[] ids = new int[rows.size() * k];
    float[] logprobs = new float[ids.length];
    Arrays.fill(logprobs, ABSENT);
    for (int i = 0; i < rows.size(); i++) {
      for (int j = 0; rows.get(i) != null && j < rows.get(i).size(); j++) {
        ids[i * k + j] = rows.get(i).get(j).id();
        logprobs[i * k + j] = rows.get(i).get(j).logprob();
      }
    }
    return new Proto.Message().bytes(1, Proto.little(ids)).bytes(2, Proto.little(logprobs)).number(3, k)
        .number(4, rows.size()).toBytes();
  }

  private static float[] scores(List<Float> values) {
    float[] out = new float[values.size()];
    for (int i = 0; i < out.length; i++) {
      out[i] = values.get(i) == null ? Float.NaN : values.get(i);
    }
    return out;
  }

  /** A result from its bytes. A reason to stop that is not known is kept by its number. */
  public static Result read(byte[] bytes) {
    ResultReader in = new ResultReader();
    in.read(bytes, "SampleResponse");
    return new Result(in.sequences, in.scores, in.likely, in.targets, in.cached);
  }

  /** The rows again; one in which nothing is there is null. */
  private static List<List<Likely>> likely(byte[] message) {
    LikelyReader in = new LikelyReader();
    in.read(message, "TopkLogprobs");
    if (in.ids.length != in.logprobs.length || (long) in.k * in.rows > in.ids.length) {
      throw new WireException(in.rows + " rows of " + in.k + " likely tokens in " + in.ids.length + " ids and "
          + in.logprobs.length + " logprobs");
    }
    List<List<Likely>> out = new ArrayList<>();
    for (int i = 0; i < in.rows; i++) {
      List<Likely> row = new ArrayList<>();
      for (int j = i * in.k; j < (i + 1) * in.k; j++) {
        if (in.logprobs[j] != ABSENT) {
          row.add(new Likely(in.ids[j], in.logprobs[j]));
        }
      }
      out.add(row.isEmpty() ? null : row);
    }
    return out;
  }

  private static final class LikelyReader extends Proto.Reader {
    private int[] ids = new int[0];
    private float[] logprobs = new float[0];
    private int k;
    private int rows;

    @Override
    void field(int number) {
      switch (number) {
        case 1 -> ids = Proto.ints(bytes());
        case 2 -> logprobs = Proto.floats(bytes());
        case 3 -> k = Math.max(0, (int) number());
        case 4 -> rows = Math.max(0, (int) number());
        default -> { }
      }
    }
  }

  private static final class ResultReader extends Proto.Reader {
    private final List<Sequence> sequences = new ArrayList<>();
    private List<Float> scores;
    private List<List<Likely>> likely;
    private TensorData targets;
    private Integer cached;

    @Override
    void field(int number) {
      switch (number) {
        case 1 -> {
          SequenceReader in = new SequenceReader();
          in.read(bytes(), "SampledSequence");
          sequences.add(new Sequence(in.reason, in.tokens, in.logprobs, in.likely));
        }
        case 2 -> {
          float[] values = Proto.floats(bytes());
          scores = values.length == 0 ? null : new ArrayList<>();
          for (float value : values) {
            scores.add(Float.isNaN(value) ? null : value);
          }
        }
        case 3 -> likely = likely(bytes());
        case 4 -> cached = (int) number();
        case 5 -> targets = PassProto.tensor(bytes());
        default -> { }
      }
    }
  }

  private static final class SequenceReader extends Proto.Reader {
    private String reason = "stop";
    private int[] tokens = new int[0];
    private float[] logprobs;
    private List<List<Likely>> likely;

    @Override
    void field(int number) {
      switch (number) {
        case 1 -> {
          long value = number();
          reason = value == 0 ? "stop" : value == 1 ? "length" : "reason " + value;
        }
        case 2 -> tokens = Proto.ints(bytes());
        case 3 -> {
          float[] values = Proto.floats(bytes());
          logprobs = values.length == 0 ? null : values;
        }
        case 4 -> likely = likely(bytes());
        default -> { }
      }
    }
  }
}
