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
    return new Result(in.sequences, in.scores);
  }

  private static final class ResultReader extends Proto.Reader {
    private final List<Sequence> sequences = new ArrayList<>();
    private List<Float> scores;

    @Override
    void field(int number) {
      if (number == 1) {
        SequenceReader in = new SequenceReader();
        in.read(bytes(), "SampledSequence");
        sequences.add(new Sequence(in.reason, in.tokens, in.logprobs));
      } else if (number == 2) {
        float[] values = Proto.floats(bytes());
        scores = values.length == 0 ? null : new ArrayList<>();
        for (float value : values) {
          scores.add(Float.isNaN(value) ? null : value);
        }
      }
    }
  }

  private static final class SequenceReader extends Proto.Reader {
    private String reason = "stop";
    private int[] tokens = new int[0];
    private float[] logprobs;

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
        default -> { }
      }
    }
  }
}
