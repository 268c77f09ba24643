package dev.fettle.internal.text;

import dev.fettle.internal.checkpoint.OpenDirectory;
import dev.fettle.internal.checkpoint.OpenFile;
import dev.fettle.internal.json.JsonNode;
import dev.fettle.internal.json.ObjectNode;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What the optional files beside {@code tokenizer.json} say.
 *
 * @param directory for error messages
 * @param tokens the special tokens that have a name, such as {@code eos_token}
 * @param addBos empty where nothing is said
 * @param templates the chat templates by their names; the one that is meant where no name is said is "default"
 */
record TokenizerConfig(Path directory, Map<String, String> tokens, Optional<Boolean> addBos, Map<String, String> templates) {
  private static final List<String> TOKENS =
      List.of("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token");
  private static final String MAIN = "default";

  static TokenizerConfig read(OpenDirectory files) {
    JsonNode config = optional(files, "tokenizer_config.json");
    JsonNode map = optional(files, "special_tokens_map.json");
    JsonNode addBos = config.path("add_bos_token");
    Map<String, String> tokens = new LinkedHashMap<>();
    TOKENS.forEach(name -> token(config, map, name).ifPresent(token -> tokens.put(name, token)));
    return new TokenizerConfig(files.path(), tokens,
        addBos.isBoolean() ? Optional.of(addBos.asBoolean()) : Optional.empty(), templates(files, config));
  }

  Optional<String> bos() {
    return Optional.ofNullable(tokens.get("bos_token"));
  }

  Optional<String> eos() {
    return Optional.ofNullable(tokens.get("eos_token"));
  }

  Optional<String> chatTemplate() {
    return Optional.ofNullable(templates.get(MAIN));
  }

  /** The template for a conversation: the one for tools where there are tools and such a template. */
  Optional<String> chatTemplate(boolean tools) {
    return Optional.ofNullable(templates.get(tools && templates.containsKey("tool_use") ? "tool_use" : MAIN));
  }

  private static JsonNode optional(OpenDirectory files, String name) {
    return files.find(name).map(Json::object).orElseGet(ObjectNode::new);
  }

  /** transformers writes a token as its text or as an object with the text in {@code content}. */
  private static Optional<String> token(JsonNode config, JsonNode map, String name) {
    JsonNode node = config.has(name) ? config.get(name) : map.path(name);
    JsonNode text = node.isObject() ? node.path("content") : node;
    return text.isString() && !text.asString().isEmpty() ? Optional.of(text.asString()) : Optional.empty();
  }

  /** A file of its own counts before the settings; what multimodal models have beside them counts last. */
  private static Map<String, String> templates(OpenDirectory files, JsonNode config) {
    Map<String, String> templates = new LinkedHashMap<>();
    JsonNode other = optional(files, "chat_template.json").path("chat_template");
    for (JsonNode node : List.of(other, config.path("chat_template"))) {
      if (node.isString()) {
        templates.put(MAIN, node.asString());
      } else {
        node.forEach(named -> templates.put(named.path("name").asString(""), named.path("template").asString("")));
      }
    }
    files.find("chat_template.jinja").map(OpenFile::text).ifPresent(text -> templates.put(MAIN, text));
    return templates;
  }
}
