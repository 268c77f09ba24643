package dev.fettle.internal.wire;

/** Saving and loading what was trained. */
public final class Weights {
  private Weights() {}

  /** {@code POST save_weights}; {@code path} is a bare name. */
  public record Save(String modelId, String path, Integer seqId, Long ttlSeconds, Boolean overwrite, String type) {
    public static Save of(String modelId, String name, int seqId, Long ttlSeconds) {
      return new Save(modelId, name, seqId, ttlSeconds, false, "save_weights");
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

  /** {@code POST load_weights}, only as the first request of a model. */
  public record Load(String modelId, Integer seqId, String path, Boolean optimizer, String type) {
    public static Load of(String modelId, int seqId, String path, boolean optimizer) {
      return new Load(modelId, seqId, path, optimizer, "load_weights");
    }
  }

  /** {@code POST save_weights_for_sampler}: with a name, or with a number for a snapshot that is not kept. */
  public record SaveForSampler(String modelId, String path, Integer samplingSessionSeqId, Integer seqId,
      Long ttlSeconds, String type) {
    private static final String TYPE = "save_weights_for_sampler";

    public static SaveForSampler named(String modelId, String name, int seqId, Long ttlSeconds) {
      return new SaveForSampler(modelId, name, null, seqId, ttlSeconds, TYPE);
    }

    public static SaveForSampler unnamed(String modelId, int samplingSessionSeqId, int seqId) {
      return new SaveForSampler(modelId, null, samplingSessionSeqId, seqId, null, TYPE);
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
      Boolean trainAttn) {}
}
