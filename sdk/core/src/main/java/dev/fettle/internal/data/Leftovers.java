package dev.fettle.internal.data;

import dev.fettle.internal.Status;
import dev.fettle.internal.json.JsonNode;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;

/** The fields of a file's lines that mean nothing to us: they are counted, and named once for a file. Not thread-safe. */
final class Leftovers {
  /** What says where a line is from or what it is about, and nothing about how it is trained. */
  private static final Set<String> HARMLESS = Set.of("id", "_id", "idx", "index", "uuid", "uid", "conversation_id", "prompt_id",
      "messages_id", "hash", "source", "sources", "dataset", "origin", "url", "license", "language", "lang", "category",
      "categories", "subject", "topic", "task", "task_type", "type", "tags", "tag", "domain", "metadata", "meta", "model",
      "created", "timestamp", "date", "split", "score", "quality", "difficulty", "num_turns", "token_count", "length");
  private static final Set<String> READ = Set.of("system", "tools", "functions");
  private static final Set<Path> SAID = ConcurrentHashMap.newKeySet();

  private final Map<String, Long> counts = new TreeMap<>();

  /** Counts what a line has beside these fields. */
  void note(JsonNode line, String... read) {
    Set<String> known = Set.of(read);
    for (Map.Entry<String, JsonNode> field : line.properties()) {
      String name = field.getKey();
      boolean empty = field.getValue().isNull() || field.getValue().isString() && field.getValue().asString().isEmpty()
          || field.getValue().isContainer() && field.getValue().isEmpty();
      if (!empty && !known.contains(name) && !READ.contains(name) && !HARMLESS.contains(name)) {
        counts.merge(JsonForms.excerpt(name), 1L, Long::sum);
      }
    }
  }

  /** Says at the end of a file what was counted. */
  void say(Path file) {
    if (!counts.isEmpty() && SAID.add(file.toAbsolutePath())) {
      Status.say(file + ": fields that are not used: " + counts.entrySet().stream().limit(8)
          .map(field -> field.getKey() + " (" + field.getValue() + (field.getValue() == 1 ? " line)" : " lines)"))
          .collect(Collectors.joining(", ")) + (counts.size() > 8 ? " and " + (counts.size() - 8) + " more" : "")
          + ". If one of them matters, give a function: Dataset.jsonl(path, line -> ...)");
    }
    counts.clear();
  }
}
