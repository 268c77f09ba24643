package dev.fettle.internal.wire;

import dev.fettle.internal.wire.Sampling.Result;
import dev.fettle.internal.wire.Sampling.Sequence;
import java.util.ArrayList;
import java.util.List;

/** Samples as protobuf ({@code SampleResponse}). */
public final class SampleProto {
  private SampleProto() {}

  /** The bytes of a result. */
  public static byte[] write(Result result) {
    Proto.Message out = new Proto.Message();
    for (Sequence s : result.sequences()) {
      out.message(1, new Proto.Message().number(1, "length".equals(s.stopReason()) ? 1 : 0)
          .bytes(2, Proto.little(s.tokens()))
          .bytes(3, s.logprobs() == null ? null : Proto.little(s.logprobs())));
    }
    return out.bytes(2, result.promptLogprobs() == null ? null : Proto.little(scores(result.promptLogprobs())))
        .toBytes();
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
