package dev.fettle.internal.wire;

import dev.fettle.internal.json.JsonNode;
import dev.fettle.internal.json.Property;
import java.util.Map;

/** Models that are trained. */
public final class Models {
  private Models() {}

  /** {@code POST create_model}. */
  public record CreateModel(String sessionId, Integer modelSeqId, String baseModel, Map<String, Object> userMetadata,
      LoraConfig loraConfig, JsonNode optimizerConfig, String type) {
    public static CreateModel of(String sessionId, int modelSeqId, String baseModel, Map<String, String> userMetadata,
        LoraConfig lora) {
      return new CreateModel(sessionId, modelSeqId, baseModel, userMetadata.isEmpty() ? null : Map.copyOf(userMetadata), lora,
          null, "create_model");
    }
  }

  /** What is trained; rank 0 stands for all weights where a server knows that. Absent flags mean true. */
  public record LoraConfig(Integer rank, @Property(unsigned = true) Long seed,
      Boolean trainUnembed, Boolean trainMlp, Boolean trainAttn) {}

  /** What became of {@code create_model} and {@code unload_model}. */
  public record ModelResult(String modelId, String type) {
    public static ModelResult created(String modelId) {
      return new ModelResult(modelId, "create_model");
    }

    public static ModelResult unloaded(String modelId) {
      return new ModelResult(modelId, "unload_model");
    }
  }

  /** {@code POST get_info} and {@code unload_model}. */
  public record ModelRequest(String modelId, String type) {
    public static ModelRequest getInfo(String modelId) {
      return new ModelRequest(modelId, "get_info");
    }

    public static ModelRequest unload(String modelId) {
      return new ModelRequest(modelId, "unload_model");
    }
  }

  /** The answer of {@code get_info}. */
  public record Info(String type, String modelId, ModelData modelData, Boolean isLora, Integer loraRank,
      String modelName) {}

  /** What is known of a model. */
  public record ModelData(String arch, String modelName, String tokenizerId) {}
}
