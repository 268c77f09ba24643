package dev.fettle.internal.wire;

import com.fasterxml.jackson.annotation.JsonFormat;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import java.util.List;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.annotation.JsonDeserialize;

/** Sampling. */
public final class Sampling {
  private Sampling() {}

  /** {@code POST create_sampling_session}. */
  public record CreateSession(String sessionId, Integer samplingSessionSeqId, String baseModel, String modelPath,
      String type) {
    public static CreateSession of(String sessionId, int seqId, String baseModel, String modelPath) {
      return new CreateSession(sessionId, seqId, baseModel, modelPath, "create_sampling_session");
    }
  }

  /** Its answer. */
  public record Session(String type, String samplingSessionId) {
    public static Session of(String samplingSessionId) {
      return new Session("create_sampling_session", samplingSessionId);
    }
  }

  /** {@code POST join_sampling_session}. */
  public record Join(String samplingSessionId, String type) {}

  /** Its answer: the number of another client of the session. */
  public record Joined(String type, Long clientCounter) {}

  /** {@code POST asample}; without a session, a base model or a tinker path says what is sampled. */
  public record Sample(Integer numSamples, ModelInput prompt, Params samplingParams, String samplingSessionId,
      Long seqId, Boolean promptLogprobs, Integer topkPromptLogprobs, String baseModel, String modelPath,
      Integer topkSampleLogprobs, Integer promptAltTokensK, Integer promptLogprobsLastN, TensorData targetPromptLogprobs,
      String type) {
    public static Sample of(String session, long seqId, int[] prompt, int samples, Params params, boolean scores) {
      return new Sample(samples, ModelInput.of(prompt), params, session, seqId, scores, 0, null, null, null, null, null,
          null, "sample");
    }
  }

  /** How to sample; {@code stop} is a list of texts or a list of token ids, and from some clients a text. */
  public record Params(Integer maxTokens, @JsonDeserialize(using = Bits64.class) Long seed, JsonNode stop,
      Double temperature, Integer topK, Double topP) {}

  /**
   * What was sampled.
   *
   * @param promptLogprobs one for each token of the prompt, null where there is none; null if not asked for
   * @param topkPromptLogprobs for each token of the prompt the likeliest ones in its place, null where there is none
   * @param targetPromptLogprobs those of the tokens that were asked for, in the same layout
   */
  public record Result(List<Sequence> sequences, List<Float> promptLogprobs, List<List<Likely>> topkPromptLogprobs,
      TensorData targetPromptLogprobs) {
    public Result(List<Sequence> sequences, List<Float> promptLogprobs) {
      this(sequences, promptLogprobs, null, null);
    }
  }

  /**
   * One sample.
   *
   * @param stopReason {@code stop} or {@code length}, or what a later server may say
   * @param topkSampledLogprobs for each token the likeliest ones in its place; null if not asked for
   */
  public record Sequence(String stopReason, int[] tokens, float[] logprobs, List<List<Likely>> topkSampledLogprobs) {
    public Sequence(String stopReason, int[] tokens, float[] logprobs) {
      this(stopReason, tokens, logprobs, null);
    }
  }

  /** A token that was likely; as JSON a pair of both. */
  @JsonFormat(shape = JsonFormat.Shape.ARRAY)
  @JsonPropertyOrder({"id", "logprob"})
  public record Likely(int id, float logprob) {}

  /** {@code GET samplers/ID}. */
  public record Sampler(String samplerId, String baseModel, String modelPath) {}
}
