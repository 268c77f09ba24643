package dev.fettle.internal.openai;

import dev.fettle.internal.ProgressMeter;
import dev.fettle.internal.json.JsonNode;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * {@code POST /v1/rerank} as Jina and Cohere have it: documents are texts, or objects with a {@code text}; a relevance is the
 * probability that a document answers the query.
 */
final class RerankCall {
  private final ServedModels models;
  private final Bounds bounds;

  RerankCall(ServedModels models, Bounds bounds) {
    this.models = models;
    this.bounds = bounds;
  }

  void answer(Fields fields, Outgoing out) throws IOException {
    Served model = models.of(fields);
    fields.required("query", "a text");
    String query = fields.text("query");
    List<String> texts = texts(fields.required("documents", "a list of texts"));
    int top = fields.count("top_n", texts.size(), 1, Integer.MAX_VALUE);
    boolean told = fields.flag("return_documents", false);
    fields.refuse("rank_fields", v -> v.isArray() && v.size() == 1 && v.get(0).asString("").equals("text"),
        "the field text is ranked by");
    fields.refuse("max_chunks_per_doc", v -> v.isNumber() && v.doubleValue() == 1, "a document is one text, cut where the model ends");
    fields.refuse("max_tokens_per_doc", v -> false, "a document is cut where the model ends; leave it out");
    fields.refuse("return_embeddings", v -> !v.asBoolean(true), "see /v1/embeddings");
    fields.end();
    ProgressMeter meter = new ProgressMeter();
    float[] scores = model.score(query, texts, meter);
    List<Object> results = new ArrayList<>();
    IntStream.range(0, scores.length).boxed().sorted(Comparator.comparing((Integer i) -> -scores[i])).limit(top).forEach(i -> {
      Map<String, Object> json = new LinkedHashMap<>();
      json.put("index", i);
      json.put("relevance_score", 1 / (1 + Math.exp(-scores[i])));
      if (told) {
        json.put("document", Map.of("text", texts.get(i)));
      }
      results.add(json);
    });
    long tokens = meter.tokens();
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("id", Ids.of("rerank-"));
    json.put("model", model.name());
    json.put("results", results);
    json.put("usage", Map.of("prompt_tokens", tokens, "total_tokens", tokens));
    json.put("meta", Map.of("billed_units", Map.of("search_units", 1), "tokens", Map.of("input_tokens", tokens)));
    out.document(200, json);
  }

  private List<String> texts(JsonNode documents) {
    List<String> out = new ArrayList<>();
    for (JsonNode document : documents) {
      String place = "documents[" + out.size() + "]";
      JsonNode text = document.isObject() ? document.path("text") : document;
      if (!text.isString()) {
        throw ApiError.invalid("documents", place + " is " + Fields.excerpt(document) + ": give a text, or {\"text\": ...}");
      }
      out.add(Texts.unicode(text.stringValue(), place));
    }
    if (!documents.isArray() || out.isEmpty() || out.size() > bounds.texts()) {
      throw ApiError.invalid("documents", "documents is " + (documents.isArray() ? "a list of " + out.size()
          : Fields.excerpt(documents)) + ": give a list of 1 to " + bounds.texts() + " texts");
    }
    return out;
  }
}
