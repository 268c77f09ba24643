package dev.fettle.internal.local;

import dev.fettle.DType;
import dev.fettle.Quantisation;
import dev.fettle.internal.checkpoint.JsonFields;
import dev.fettle.internal.checkpoint.QuantisationScheme;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/** The model card beside an adapter, where PEFT notes how the base model was quantised while the adapter was trained. */
final class AdapterCard {
  static final String NAME = "README.md";

  private AdapterCard() {}

  static String of(LocalModel model) {
    String settings = settings(model).entrySet().stream().map(e -> "- " + e.getKey() + ": " + e.getValue())
        .collect(Collectors.joining("\n"));
    return "---\nbase_model: " + model.name() + "\nlibrary_name: peft\npipeline_tag: text-generation\n---\n\n## Training procedure\n\n"
        + "The following `" + method(model) + "` quantization config was used during training:\n" + settings + "\n";
  }

  private static String method(LocalModel model) {
    return String.valueOf(settings(model).getOrDefault("quant_method", "fettle"));
  }

  /** What the base model's own config.json says, or what was asked for when it was loaded, in bitsandbytes' words if it has some. */
  private static Map<String, Object> settings(LocalModel model) {
    Map<String, Object> out = new LinkedHashMap<>();
    if (model.quantisation().isEmpty()) {
      JsonFields stored = JsonFields.of(model.files().file("config.json")).object(QuantisationScheme.KEY).orElseThrow();
      stored.keys().forEach(key -> out.put(key, stored.node(key).isString() ? stored.node(key).stringValue() : stored.node(key)));
      return out;
    }
    Quantisation q = model.quantisation().get();
    if (q.form() == Quantisation.Form.INT4) {
      out.put("quant_method", "fettle");
      out.put("form", "int4, a scale for each block of 32 inputs");
      return out;
    }
    boolean four = q.form() == Quantisation.Form.NF4;
    out.put("quant_method", "bitsandbytes");
    out.put("load_in_8bit", python(!four));
    out.put("load_in_4bit", python(four));
    if (four) {
      out.put("bnb_4bit_quant_type", "nf4");
      out.put("bnb_4bit_use_double_quant", python(q.isDoubleQuantised()));
      out.put("bnb_4bit_compute_dtype", model.dtype() == DType.BF16 ? "bfloat16" : "float32");
    }
    return out;
  }

  private static String python(boolean value) {
    return String.valueOf(value).substring(0, 1).toUpperCase(Locale.ROOT) + String.valueOf(value).substring(1);
  }
}
