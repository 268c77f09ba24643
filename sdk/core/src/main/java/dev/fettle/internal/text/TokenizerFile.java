package dev.fettle.internal.text;

import dev.fettle.InvalidInputException;
import dev.fettle.internal.json.JsonNode;
import dev.fettle.internal.json.JsonPrinter;
import dev.fettle.internal.json.JsonReader;
import dev.fettle.internal.json.ObjectNode;
import java.io.ByteArrayOutputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;

/**
 * What Fettle itself needs of a {@code tokenizer.json}. The file is streamed: a vocabulary is too large for a tree.
 *
 * @param json its content
 * @param vocab the model's own vocabulary, without the added tokens
 * @param parts all that stands beside the vocabulary and the merges
 */
record TokenizerFile(Path path, byte[] json, Map<String, Integer> vocab, List<Added> added,
    Map<String, JsonNode> parts) {
  /** Ids are dense in practice; a wild id must not make the id table eat the memory. */
  private static final int MAX_ID = 1 << 24;

  /** One entry of {@code added_tokens}. */
  record Added(int id, String content, boolean special, boolean singleWord, boolean rstrip) {}

  /**
   * The same tokenizer, in which a special token is reached by a name that nobody can type.
   *
   * @param names the name of each special token by its id
   */
  record Blind(byte[] json, Map<Integer, String> names) {}

  /** A part such as "normalizer"; without content if there is none. */
  JsonNode part(String name) {
    return parts.getOrDefault(name, JsonNode.missing());
  }

  static TokenizerFile read(Path path, byte[] json) {
    Map<String, Integer> vocab = new HashMap<>();
    List<Added> added = new ArrayList<>();
    Map<String, JsonNode> parts = new HashMap<>();
    try (JsonParser p = JsonReader.STANDARD.parser(json)) {
      require(p.nextToken() == JsonToken.START_OBJECT, path, "is empty or not a JSON object");
      while (p.nextToken() == JsonToken.PROPERTY_NAME) {
        String name = p.currentName();
        p.nextToken();
        switch (name) {
          case "model" -> readModel(p, path, vocab, parts);
          case "added_tokens" -> readAdded(p, path, added);
          default -> {
            if (TokenizerParts.NAMES.contains(name)) {
              JsonNode part = JsonReader.next(p);
              TokenizerParts.check(path, name, part);
              parts.put(name, part);
            } else {
              p.skipChildren();
            }
          }
        }
      }
      require(p.currentToken() == JsonToken.END_OBJECT && p.nextToken() == null, path, "goes on after its end");
    } catch (JacksonException e) {
      throw new InvalidInputException(path + " is not JSON: " + e.getOriginalMessage(), e);
    }
    require(parts.containsKey("model") && !vocab.isEmpty(), path, "has no model with a vocabulary");
    return new TokenizerFile(path, json, vocab, added, parts);
  }

  private static void readModel(JsonParser p, Path path, Map<String, Integer> vocab, Map<String, JsonNode> parts) {
    if (p.currentToken() != JsonToken.START_OBJECT) {
      p.skipChildren();
      return;
    }
    ObjectNode settings = new ObjectNode();
    while (p.nextToken() == JsonToken.PROPERTY_NAME) {
      String name = p.currentName();
      p.nextToken();
      if (p.currentToken().isScalarValue()) {
        settings.set(name, JsonReader.next(p));
      } else if (!name.equals("vocab")) {
        p.skipChildren();
      } else if (p.currentToken() == JsonToken.START_OBJECT) {
        while (p.nextToken() == JsonToken.PROPERTY_NAME) {
          String token = p.currentName();
          require(p.nextToken() == JsonToken.VALUE_NUMBER_INT, path, "has a vocabulary entry without an integer id");
          vocab.put(token, checkedId(path, p.getLongValue()));
        }
      } else {
        require(p.currentToken() == JsonToken.START_ARRAY, path, "has a vocabulary of an unknown kind");
        for (int id = 0; p.nextToken() != JsonToken.END_ARRAY; id++) {
          JsonNode pair = JsonReader.next(p);
          require(pair.isArray() && pair.size() == 2 && pair.get(0).isString(), path, "has a broken vocabulary entry");
          vocab.put(pair.get(0).asString(), id);
        }
      }
    }
    parts.put("model", settings);
    TokenizerParts.checkModel(path, settings, vocab.size());
  }

  private static void readAdded(JsonParser p, Path path, List<Added> added) {
    JsonNode list = JsonReader.next(p);
    require(list.isArray(), path, "has added_tokens that are not a list");
    for (JsonNode node : list) {
      require(node.path("id").isIntegralNumber() && node.path("content").isString(), path,
          "has an added token without id or content");
      added.add(new Added(checkedId(path, node.path("id").asLong()), node.path("content").asString(),
          node.path("special").asBoolean(false), node.path("single_word").asBoolean(false),
          node.path("rstrip").asBoolean(false)));
    }
  }

  /**
   * The same tokenizer for a text in which no special token may be seen. A special token that only
   * {@code added_tokens} defines is renamed where it stands: the library numbers added tokens by their order, whatever
   * their ids say. One that the vocabulary holds too gets its name, and another id, behind all others.
   */
  Blind withoutSpecials() {
    String nonce = ":" + UUID.randomUUID() + ":";
    Map<Integer, String> names = new HashMap<>();
    added.stream().filter(Added::special).forEach(token -> names.put(token.id(), nonce + token.id() + ":"));
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (JsonParser p = JsonReader.STANDARD.parser(json);
        JsonGenerator out = JsonPrinter.generator(bytes)) {
      p.nextToken();
      out.writeStartObject();
      while (p.nextToken() == JsonToken.PROPERTY_NAME) {
        String name = p.currentName();
        p.nextToken();
        out.writeName(name);
        if (name.equals("added_tokens")) {
          writeAdded(out, JsonReader.next(p), names);
        } else {
          out.copyCurrentStructure(p);
        }
      }
      out.writeEndObject();
    }
    return new Blind(bytes.toByteArray(), names);
  }

  private void writeAdded(JsonGenerator out, JsonNode list, Map<Integer, String> names) {
    out.writeStartArray();
    for (JsonNode node : list) {
      String content = node.path("content").asString();
      if (!node.path("special").asBoolean(false)) {
        JsonPrinter.write(out, node);
      } else if (!vocab.containsKey(content)) {
        writeRenamed(out, node, node.path("id").asInt(), names);
      }
    }
    int next = vocab.values().stream().mapToInt(id -> id).max().orElse(0) + list.size();
    for (JsonNode node : list) {
      if (node.path("special").asBoolean(false) && vocab.containsKey(node.path("content").asString())) {
        writeRenamed(out, node, ++next, names);
      }
    }
    out.writeEndArray();
  }

  private static void writeRenamed(JsonGenerator out, JsonNode node, int id, Map<Integer, String> names) {
    out.writeStartObject();
    out.writeNumberProperty("id", id);
    out.writeStringProperty("content", names.get(node.path("id").asInt()));
    for (String flag : List.of("single_word", "normalized", "special")) {
      out.writeBooleanProperty(flag, false);
    }
    for (String flag : List.of("lstrip", "rstrip")) {
      out.writeBooleanProperty(flag, node.path(flag).asBoolean(false));
    }
    out.writeEndObject();
  }

  private static int checkedId(Path path, long id) {
    require(id >= 0 && id < MAX_ID, path, "has the token id " + id + ", which is not between 0 and " + (MAX_ID - 1));
    return (int) id;
  }

  private static void require(boolean condition, Path path, String problem) {
    if (!condition) {
      throw new InvalidInputException(path + " " + problem + ": download the file again");
    }
  }
}
