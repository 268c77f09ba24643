package dev.fettle.internal.wire;

import dev.fettle.internal.json.JsonNode;
import java.util.Map;

/** Saving and loading what was trained. */
public final class Weights {
  private Weights() {}

  /** {@code POST save_weights}; {@code path} is a bare name. */
  public record Save(String modelId, String path, Integer seqId, Long ttlSeconds, Boolean overwrite,
      Map<String, String> userMetadata, String type) {
    public static Save of(String modelId, String name, int seqId, Map<String, String> userMetadata) {
      return new Save(modelId, name, seqId, null, false, userMetadata.isEmpty() ? null : userMetadata, "save_weights");
    }
  }

  /** What became of {@code save_weights} and {@code load_weights}; {@code path} is a tinker path. */
  public record Result(String path, String modelId, String type) {
    public static Result saved(String path) {
      return new Result(path, null, "save_weights");
    }

    public static Result loaded(String path, String modelId) {
      return new Result(path, modelId, "load_weights");
    }
  }

  /**
   * {@code POST load_weights}: either as the first request of a model, or with a session and a number to make a new
   * model of what was saved.
   */
  public record Load(String modelId, Integer seqId, String sessionId, Integer modelSeqId, String baseModel, String path,
      Boolean optimizer, JsonNode optimizerConfig, Map<String, Object> userMetadata, String type) {
    public static Load of(String modelId, int seqId, String path, boolean optimizer) {
      return new Load(modelId, seqId, null, null, null, path, optimizer, null, null, "load_weights");
    }

    /** Into a model that comes into being by it, whose name is {@link #modelId}. */
    public static Load intoNew(String sessionId, int modelSeqId, String path, boolean optimizer, Map<String, String> userMetadata) {
      return new Load(null, null, sessionId, modelSeqId, null, path, optimizer, null,
          userMetadata.isEmpty() ? null : Map.copyOf(userMetadata), "load_weights");
    }

    /** What a model of a session is called that was made of what was saved. */
    public static String modelId(String sessionId, int modelSeqId) {
      return sessionId + ":train:" + modelSeqId;
    }
  }

  /** {@code POST save_weights_for_sampler}: with a name, or with a number for a snapshot that is not kept. */
  public record SaveForSampler(String modelId, String path, Integer samplingSessionSeqId, Integer seqId,
      Long ttlSeconds, Map<String, String> userMetadata, String type) {
    private static final String TYPE = "save_weights_for_sampler";

    public static SaveForSampler named(String modelId, String name, int seqId, Long ttlSeconds) {
      return new SaveForSampler(modelId, name, null, seqId, ttlSeconds, null, TYPE);
    }

    public static SaveForSampler unnamed(String modelId, int samplingSessionSeqId, int seqId) {
      return new SaveForSampler(modelId, null, samplingSessionSeqId, seqId, null, null, TYPE);
    }
  }

  /** What became of it: a tinker path, or a session that can be sampled at once. */
  public record SamplerResult(String path, String samplingSessionId, String type) {
    public static SamplerResult of(String path, String samplingSessionId) {
      return new SamplerResult(path, samplingSessionId, SaveForSampler.TYPE);
    }
  }

  /** {@code POST weights_info}. */
  public record InfoRequest(String tinkerPath) {}

  /** Its answer. */
  public record Info(String baseModel, Boolean isLora, Integer loraRank, Boolean trainUnembed, Boolean trainMlp,
      Boolean trainAttn, Steps.OptimizerConfig optimizerConfig) {}

  /** {@code POST copy_weights}. */
  public record Copy(String sessionId, Integer modelSeqId, String sourcePath, Long ttlSeconds) {}

  /** Its answer. */
  public record Copied(String tinkerPath) {}
}
