package dev.fettle.internal.model;

import dev.fettle.internal.checkpoint.JsonFields;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** The families of models that are known. */
public final class Architectures {
  private static final Map<String, Architecture> BY_TYPE = new LinkedHashMap<>();

  static {
    Stream.of(new Llama(), new Mistral(), new Ministral3(), new Qwen2(), new Qwen3(), new Qwen3Moe(), new Gemma(), new Gemma2(),
        new Gemma3(), new SmolLm3(), new Phi3(), new Granite(), new GraniteHybrid(), new Olmo2(), new Olmo3(), new Olmoe(), new Qwen35(),
        new Multimodal("gemma3", "Gemma3ForConditionalGeneration", "gemma3_text", true),
        new Multimodal("mistral3", "Mistral3ForConditionalGeneration", "mistral", true),
        new Multimodal("llava", "LlavaForConditionalGeneration", "llama", true),
        new Multimodal("qwen3_5", "Qwen3_5ForConditionalGeneration", "qwen3_5_text", false), new Bert(),
        new Roberta("roberta", "RobertaModel", 50265), new Roberta("xlm-roberta", "XLMRobertaModel", 30522),
        new Roberta("camembert", "CamembertModel", 30522), new DistilBert(), new MpNet(), new ModernBert())
        .forEach(a -> BY_TYPE.put(a.type(), a));
  }

  private Architectures() {}

  /** The names of the families that are for something. */
  public static List<String> types(ModelConfig.Purpose purpose) {
    return BY_TYPE.values().stream().filter(a -> a.purpose() == purpose).map(Architecture::type).toList();
  }

  /** The class that saved models of a family name. */
  public static String className(String type) {
    return BY_TYPE.get(type).className();
  }

  /**
   * The family that a config.json names, for what it is used.
   *
   * @param embeds whether the files beside it say that it embeds texts
   */
  public static Architecture of(JsonFields config, boolean embeds) {
    Architecture found = of(config);
    if (!embeds && Classifier.isNamed(config, found) && DecoderAsEncoder.takes(found)) {
      return Classifier.of(found, config);
    }
    boolean decodes = found.purpose() == ModelConfig.Purpose.CAUSAL_LM;
    if (!decodes || !embeds && !DecoderAsEncoder.isNamed(config, found)) {
      return found;
    }
    if (!DecoderAsEncoder.takes(found)) {
      throw config.unsupported("model_type", "a model that reads images too embeds no texts here, as its modules.json asks for");
    }
    return new DecoderAsEncoder(found);
  }

  private static Architecture of(JsonFields config) {
    String type = config.string("model_type").orElseThrow(() -> config.invalid("model_type", "must name the model"));
    return named(type, config);
  }

  /** The family of a name, which the config.json gives. */
  static Architecture named(String type, JsonFields config) {
    Architecture found = BY_TYPE.get(type);
    if (found == null) {
      throw config.unsupported("model_type", "the architectures are " + String.join(", ", BY_TYPE.keySet()));
    }
    return found;
  }
}
