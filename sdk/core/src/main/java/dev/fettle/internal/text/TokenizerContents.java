package dev.fettle.internal.text;

import dev.fettle.InvalidInputException;
import dev.fettle.internal.checkpoint.OpenDirectory;
import dev.fettle.internal.checkpoint.OpenFile;
import dev.fettle.internal.json.JsonNode;
import dev.fettle.internal.json.JsonReader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;

/**
 * What the files of a tokenizer hold, for whoever writes them in another format.
 *
 * @param path the {@code tokenizer.json}
 * @param vocabulary the model's own tokens with their ids, without the added ones
 * @param scores of the tokens that have one (Unigram)
 * @param merges the pairs that become one token, the first ones first (BPE)
 * @param added the added tokens
 * @param parts what stands beside the vocabulary: model, normalizer, pre_tokenizer, post_processor, decoder
 * @param named the special tokens that have a name, such as {@code eos_token}
 * @param templates the chat templates by their names, the usual one as "default"
 */
public record TokenizerContents(Path path, Map<String, Integer> vocabulary, Map<String, Double> scores, List<Merge> merges,
    List<Added> added, Map<String, JsonNode> parts, Map<String, String> named, Map<String, String> templates) {
  /** Two tokens that become one. */
  public record Merge(String left, String right) {}

  /** An added token. */
  public record Added(int id, String content, boolean special) {}

  /** Reads the files of a directory; empty if it has no {@code tokenizer.json}. */
  public static Optional<TokenizerContents> read(OpenDirectory files) {
    return files.find(TokenizerDirectory.FILE).map(file -> read(file, TokenizerConfig.read(files)));
  }

  private static TokenizerContents read(OpenFile opened, TokenizerConfig config) {
    TokenizerFile file = TokenizerFile.read(opened.path(), opened.bytes());
    Map<String, Double> scores = new HashMap<>();
    List<Merge> merges = new ArrayList<>();
    try (JsonParser p = JsonReader.STANDARD.parser(file.json())) {
      p.nextToken();
      while (p.nextToken() == JsonToken.PROPERTY_NAME) {
        boolean model = p.currentName().equals("model");
        if (p.nextToken() == JsonToken.START_OBJECT && model) {
          readModel(p, file, scores, merges);
        } else {
          p.skipChildren();
        }
      }
    } catch (JacksonException e) {
      throw broken(file, e.getOriginalMessage());
    }
    return new TokenizerContents(file.path(), file.vocab(), scores, merges,
        file.added().stream().map(a -> new Added(a.id(), a.content(), a.special())).toList(), file.parts(), config.tokens(),
        config.templates());
  }

  private static void readModel(JsonParser p, TokenizerFile file, Map<String, Double> scores, List<Merge> merges) {
    while (p.nextToken() == JsonToken.PROPERTY_NAME) {
      String name = p.currentName();
      if (p.nextToken() != JsonToken.START_ARRAY || !name.equals("merges") && !name.equals("vocab")) {
        p.skipChildren();
        continue;
      }
      while (p.nextToken() != JsonToken.END_ARRAY) {
        JsonNode entry = JsonReader.next(p);
        if (name.equals("vocab")) {
          scores.put(entry.path(0).asString(), entry.path(1).asDouble());
        } else {
          merges.add(merge(file, entry));
        }
      }
    }
  }

  /** Older files have both as one text with a space between. */
  private static Merge merge(TokenizerFile file, JsonNode entry) {
    if (entry.isArray() && entry.size() == 2 && entry.get(0).isString() && entry.get(1).isString()) {
      return new Merge(entry.get(0).asString(), entry.get(1).asString());
    }
    String text = entry.isString() ? entry.asString() : "";
    int space = text.indexOf(' ', 1);
    if (space < 0 || space == text.length() - 1) {
      throw broken(file, "has a merge that is no pair of tokens");
    }
    return new Merge(text.substring(0, space), text.substring(space + 1));
  }

  private static InvalidInputException broken(TokenizerFile file, String what) {
    return new InvalidInputException(file.path() + " " + what + ": download the file again");
  }

  /** A part such as "normalizer"; without content if there is none. */
  public JsonNode part(String name) {
    return parts.getOrDefault(name, JsonNode.missing());
  }
}
