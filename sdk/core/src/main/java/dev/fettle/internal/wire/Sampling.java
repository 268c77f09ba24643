package dev.fettle.internal.wire;

import dev.fettle.internal.json.JsonForm;
import dev.fettle.internal.json.JsonNode;
import dev.fettle.internal.json.Property;
import java.util.List;

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

    /** One token after a prompt, of whose places the likeliest tokens or those of {@code targets} are wanted. */
    public static Sample scoring(String session, long seqId, int[] prompt, Params params, int likely, TensorData targets) {
      return new Sample(1, ModelInput.of(prompt), params, session, seqId, false, likely, null, null, null, null, null, targets,
          "sample");
    }
  }

  /** How to sample; {@code stop} is a list of texts or a list of token ids, and from some clients a text. */
  public record Params(Integer maxTokens, @Property(unsigned = true) Long seed, JsonNode stop,
      Double temperature, Integer topK, Double topP) {}

  /**
   * What was sampled.
   *
   * @param promptLogprobs one for each token of the prompt, null where there is none; null if not asked for
   * @param topkPromptLogprobs for each token of the prompt the likeliest ones in its place, null where there is none
   * @param targetPromptLogprobs those of the tokens that were asked for, in the same layout
   * @param promptCacheHitTokens how many of the prompt's tokens need not have been read again; null where that is not known
   */
  public record Result(List<Sequence> sequences, List<Float> promptLogprobs, List<List<Likely>> topkPromptLogprobs,
      TensorData targetPromptLogprobs, Integer promptCacheHitTokens) {
    public Result(List<Sequence> sequences, List<Float> promptLogprobs) {
      this(sequences, promptLogprobs, null, null, null);
    }
  }

  /** Why a sample ended, as it is sent. */
  public static String reason(dev.fettle.Sample.StopReason reason) {
    return reason == dev.fettle.Sample.StopReason.STOP ? "stop" : "length";
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
  public record Likely(int id, float logprob) implements JsonForm {
    /**
     * Of a pair.
     *
     * @throws WireException if it is none
     */
    public static Likely of(JsonNode pair) {
      if (pair.size() != 2 || !pair.isArray() || !pair.get(0).canConvertToInt() || !pair.get(1).isNumber()) {
        throw new WireException("a likely token is " + pair + ", not a pair of id and logprob");
      }
      return new Likely(pair.get(0).intValue(), (float) pair.get(1).doubleValue());
    }

    @Override
    public Object json() {
      return List.of(id, logprob);
    }
  }

  /** {@code GET samplers/ID}. */
  public record Sampler(String samplerId, String baseModel, String modelPath) {}
}
