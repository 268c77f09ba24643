package dev.fettle.internal.openai;

import dev.fettle.Tokenizer;
import dev.fettle.internal.ProgressMeter;
import dev.fettle.internal.json.JsonNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** {@code POST /v1/embeddings}. */
final class EmbeddingCall {
  private final ServedModels models;
  private final Bounds bounds;

  EmbeddingCall(ServedModels models, Bounds bounds) {
    this.models = models;
    this.bounds = bounds;
  }

  void answer(Fields fields, Outgoing out) throws IOException {
    Served model = models.of(fields);
    String encoding = fields.text("encoding_format");
    if (encoding != null && !encoding.equals("float") && !encoding.equals("base64")) {
      throw ApiError.invalid("encoding_format", "encoding_format is \"" + encoding + "\": give float or base64");
    }
    Integer dimensions = fields.count("dimensions", 1, Integer.MAX_VALUE);
    fields.without("user");
    List<String> texts = texts(fields.required("input", "a text, or a list of texts"), model);
    fields.end();
    ProgressMeter meter = new ProgressMeter();
    List<float[]> vectors = model.embed(texts, meter);
    if (dimensions != null && dimensions != vectors.get(0).length) {
      throw ApiError.unsupported("dimensions", "dimensions " + dimensions + " is not supported by this model, whose vectors have "
          + vectors.get(0).length + " numbers: leave it out");
    }
    List<Object> data = new ArrayList<>();
    for (float[] vector : vectors) {
      Map<String, Object> json = new LinkedHashMap<>();
      json.put("object", "embedding");
      json.put("index", data.size());
      json.put("embedding", "base64".equals(encoding) ? base64(vector) : vector);
      data.add(json);
    }
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("object", "list");
    json.put("data", data);
    json.put("model", model.name());
    json.put("usage", Map.of("prompt_tokens", meter.tokens(), "total_tokens", meter.tokens()));
    out.document(200, json);
  }

  private List<String> texts(JsonNode input, Served model) {
    List<String> out = new ArrayList<>();
    boolean ids = input.isArray() && input.path(0).isNumber();
    for (JsonNode each : input.isArray() && !ids ? input : List.of(input)) {
      String place = input.isArray() && !ids ? "input[" + out.size() + "]" : "input";
      if (each.isString()) {
        out.add(Texts.unicode(each.stringValue(), place));
      } else {
        // Clients that count tokens themselves send those.
        Tokenizer tokenizer = model.model().tokenizer();
        out.add(tokenizer.decode(Texts.ids(each, "input", place, tokenizer.vocabSize())));
      }
    }
    if (out.isEmpty() || out.size() > bounds.texts()) {
      throw ApiError.invalid("input", "input has " + out.size() + " texts: give 1 to " + bounds.texts());
    }
    return out;
  }

  private static String base64(float[] vector) {
    ByteBuffer bytes = ByteBuffer.allocate(Float.BYTES * vector.length).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(vector);
    return Base64.getEncoder().encodeToString(bytes.array());
  }
}
