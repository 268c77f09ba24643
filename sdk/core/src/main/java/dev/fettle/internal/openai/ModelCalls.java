package dev.fettle.internal.openai;

import java.util.LinkedHashMap;
import java.util.Map;

/** {@code GET /v1/models}, and of one of them. */
final class ModelCalls {
  private final ServedModels models;
  private final long created = System.currentTimeMillis() / 1000;

  ModelCalls(ServedModels models) {
    this.models = models;
  }

  Map<String, Object> list() {
    return Map.of("object", "list", "data", models.all().stream().map(this::json).toList());
  }

  Map<String, Object> one(String name) {
    return json(models.get(name));
  }

  private Map<String, Object> json(Served model) {
    Map<String, Object> out = new LinkedHashMap<>();
    out.put("id", model.name());
    out.put("object", "model");
    out.put("created", created);
    out.put("owned_by", "fettle");
    out.put("root", model.model().name());
    out.put("parent", model.isBase() ? null : models.base().name());
    out.put("max_model_len", model.model().contextLength());
    return out;
  }
}
