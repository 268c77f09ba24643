package dev.fettle.internal.data;

import dev.fettle.InvalidInputException;
import dev.fettle.internal.checkpoint.AtomicFiles;
import dev.fettle.internal.json.JsonNode;
import dev.fettle.internal.json.JsonPrinter;
import dev.fettle.ranking.Document;
import dev.fettle.ranking.Triple;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.Writer;
import java.nio.channels.Channels;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Stream;

/** Files of JSON Lines with documents, queries, and pairs and triples of texts. */
public final class RetrievalFiles {
  private static final String DOCUMENT = "{\"_id\": ..., \"title\": ..., \"text\": ...}";
  static final String TRIPLE = "{\"query\": ..., \"positive\": ..., \"negatives\": [...]}";

  private RetrievalFiles() {}

  /** BEIR's corpus by identifier, in the order of the file. */
  public static Map<String, Document> corpus(Path file) {
    Map<String, Document> corpus = new LinkedHashMap<>();
    rows(file, DOCUMENT, node -> {
      String id = id(node);
      String title = node.hasNonNull("title") ? JsonForms.string(node.get("title"), "title") : "";
      once(corpus.put(id, new Document(id, title, JsonForms.string(node.get("text"), "text"))), id);
    });
    return corpus;
  }

  /** BEIR's queries by identifier, in the order of the file. */
  public static Map<String, String> queries(Path file) {
    Map<String, String> queries = new LinkedHashMap<>();
    rows(file, DOCUMENT, node -> {
      String id = id(node);
      once(queries.put(id, JsonForms.string(node.get("text"), "text")), id);
    });
    return queries;
  }

  /** Pairs and triples; a line with several positives makes one for each. */
  public static List<Triple> triples(List<Path> files) {
    List<Triple> triples = new ArrayList<>();
    new TripleCursor(files).forEachRemaining(triples::add);
    return triples;
  }

  /** The triples of a line. */
  static List<Triple> triples(JsonNode node) {
    String query = JsonForms.string(one(node, "query", "anchor"), "query");
    List<String> negatives = texts(one(node, "negatives", "negative", "neg"), "negatives");
    List<String> positives = texts(one(node, "positive", "pos"), "positive");
    if (positives.isEmpty()) {
      throw new InvalidInputException("no positive text in an object with " + JsonForms.keys(node) + "; expected "
          + TRIPLE);
    }
    return positives.stream().map(positive -> new Triple(query, positive, negatives)).toList();
  }

  /** Writes documents as BEIR has them. */
  public static void writeCorpus(Path file, Iterable<Document> documents) {
    write(file, documents, document -> ordered("_id", document.id(), "title", document.title(), "text",
        document.text()));
  }

  /** Writes queries as BEIR has them. */
  public static void writeQueries(Path file, Map<String, String> queries) {
    write(file, queries.entrySet(), query -> ordered("_id", query.getKey(), "text", query.getValue()));
  }

  /** Writes triples in the form that {@link #triples} reads. */
  public static void writeTriples(Path file, Iterable<Triple> triples) {
    write(file, triples, t -> t.negatives().isEmpty() ? ordered("query", t.query(), "positive", t.positive())
        : ordered("query", t.query(), "positive", t.positive(), "negatives", t.negatives()));
  }

  private static Map<String, Object> ordered(Object... entries) {
    Map<String, Object> map = new LinkedHashMap<>();
    for (int i = 0; i < entries.length; i += 2) {
      map.put((String) entries[i], entries[i + 1]);
    }
    return map;
  }

  @FunctionalInterface
  private interface Form<T> {
    Map<String, Object> of(T value);
  }

  private static <T> void write(Path file, Iterable<T> values, Form<T> form) {
    AtomicFiles.writeFile(file, channel -> {
      Writer out = new BufferedWriter(Channels.newWriter(channel, StandardCharsets.UTF_8));
      for (T value : values) {
        out.write(line(form.of(value)));
        out.write('\n');
      }
      out.flush();
    });
  }

  private static String line(Map<String, Object> values) throws IOException {
    return JsonPrinter.line(values);
  }

  private static String id(JsonNode node) {
    JsonNode id = one(node, "_id", "id");
    return id != null && id.isIntegralNumber() ? id.toString() : JsonForms.string(id, "_id");
  }

  private static void once(Object before, String id) {
    if (before != null) {
      throw new InvalidInputException("_id \"" + JsonForms.excerpt(id) + "\" is there twice");
    }
  }

  private static JsonNode one(JsonNode node, String... names) {
    return Stream.of(names).map(node::get).filter(value -> value != null && !value.isNull()).findFirst().orElse(null);
  }

  private static List<String> texts(JsonNode value, String place) {
    List<String> texts = new ArrayList<>();
    if (value != null && value.isArray()) {
      for (JsonNode text : value) {
        texts.add(JsonForms.string(text, place + "[" + texts.size() + "]"));
      }
    } else if (value != null) {
      texts.add(JsonForms.string(value, place));
    }
    return texts;
  }

  private static void rows(Path file, String form, Consumer<JsonNode> row) {
    Lines lines = new Lines(file);
    try {
      while (row(lines, form, row)) {
        continue;
      }
    } finally {
      lines.close();
    }
  }

  /** Reads on to the next line that is not blank; whether there was one. */
  static boolean row(Lines lines, String form, Consumer<JsonNode> row) {
    for (String line = lines.next(); line != null; line = lines.next()) {
      if (!line.isBlank()) {
        try {
          row.accept(JsonForms.object(line, form));
          return true;
        } catch (InvalidInputException e) {
          throw new InvalidInputException(lines.origin() + ": " + e.getMessage() + ". The line: "
              + JsonForms.excerpt(line), e);
        }
      }
    }
    return false;
  }
}
