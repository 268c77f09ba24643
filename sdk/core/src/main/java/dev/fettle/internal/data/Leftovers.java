package dev.fettle.internal.data;

import dev.fettle.internal.Status;
import dev.fettle.internal.json.JsonNode;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;

/** The fields of a file's rows that mean nothing to us: they are counted, and named once for a file. Not thread-safe. */
final class Leftovers {
  /** What says where a row is from or what it is about, and nothing about how it is trained. */
  private static final Set<String> HARMLESS = Set.of("id", "_id", "idx", "index", "uuid", "uid", "conversation_id", "prompt_id",
      "messages_id", "hash", "source", "sources", "dataset", "origin", "url", "license", "language", "lang", "category",
      "categories", "subject", "topic", "task", "task_type", "type", "tags", "tag", "domain", "metadata", "meta", "model",
      "created", "timestamp", "date", "split", "score", "quality", "difficulty", "num_turns", "token_count", "length",
      "score_chosen", "score_rejected", "chosen_model", "rejected_model", "parallel_tool_calls", "Unnamed: 0", "column 1");
  /** The same of messages, their parts and their calls; an answer's {@code tool_call_id} is the order of the answers. */
  private static final Set<String> HARMLESS_WITHIN = Set.of("id", "uuid", "timestamp", "date", "created", "tool_call_id", "model",
      "index", "type", "status", "object", "language", "lang", "token_count", "tokens");
  /** Rows after which what was found is said, in case nobody reads to the end. */
  private static final int ENOUGH = 10_000;
  private static final Set<String> SAID = ConcurrentHashMap.newKeySet();

  private final Map<String, Long> counts = new TreeMap<>();
  private final Set<String> here = new TreeSet<>();
  private long rows;

  /** Counts what a row has beside these fields. */
  void note(JsonNode row, Set<String> read) {
    for (Map.Entry<String, JsonNode> field : row.properties()) {
      if (!isEmpty(field.getValue()) && !read.contains(field.getKey()) && !HARMLESS.contains(field.getKey())) {
        count(field.getKey());
      }
    }
  }

  /**
   * Counts what a message or a part of one has beside these fields.
   *
   * @param place such as {@code messages[]}
   */
  void within(JsonNode node, String place, Set<String> read) {
    for (Map.Entry<String, JsonNode> field : node.properties()) {
      if (!isEmpty(field.getValue()) && !read.contains(field.getKey()) && !HARMLESS_WITHIN.contains(field.getKey())) {
        count(place + "." + field.getKey());
      }
    }
  }

  /** Counts one field, once for a row. */
  void count(String name) {
    here.add(JsonForms.excerpt(name));
  }

  private static boolean isEmpty(JsonNode value) {
    return value.isNull() || value.isString() && value.asString().isEmpty() || value.isContainer() && value.isEmpty();
  }

  /** Ends a row. */
  void row(Path file, Format format) {
    here.forEach(name -> counts.merge(name, 1L, Long::sum));
    here.clear();
    rows++;
    if (rows == ENOUGH) {
      say(file, " in its first " + ENOUGH + " rows", format);
    }
  }

  /** Says at the end of a file what was counted. */
  void say(Path file, Format format) {
    say(file, "", format);
    counts.clear();
    rows = 0;
  }

  private void say(Path file, String where, Format format) {
    List<Map.Entry<String, Long>> fresh = counts.entrySet().stream()
        .filter(field -> SAID.add(file.toAbsolutePath() + "\0" + field.getKey())).toList();
    if (!fresh.isEmpty()) {
      String unit = format == Format.PARQUET ? " row" : " line";
      Status.say(file + ": fields that are not used" + where + ": " + fresh.stream().limit(8)
          .map(field -> field.getKey() + " (" + field.getValue() + unit + (field.getValue() == 1 ? ")" : "s)"))
          .collect(Collectors.joining(", ")) + (fresh.size() > 8 ? " and " + (fresh.size() - 8) + " more" : "")
          + ". If one of them matters, name it: fields(\"prompt=question\", ...)"
          + (format == Format.JSONL ? ", or give a function: Dataset.jsonl(path, line -> ...)" : ""));
    }
  }
}
