package dev.fettle.internal.text;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.fettle.Conversation;
import dev.fettle.Message;
import dev.fettle.Tokenizer;
import dev.fettle.Tokenizers;
import dev.fettle.ToolCall;
import dev.fettle.internal.json.JsonNode;
import dev.fettle.internal.json.JsonReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;

/** The small tokenizer, the golden files and the real tokenizers. */
final class TextFixtures {
  private static final String LLAMA = config("<|begin_of_text|>", "<|eot_id|>");

  private TextFixtures() {}

  static JsonNode json(String name) {
    try (InputStream in = TextFixtures.class.getResourceAsStream("/text/" + name)) {
      return JsonReader.STANDARD.read(in.readAllBytes());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static Path tokenizerFile() {
    try {
      return Path.of(TextFixtures.class.getResource("/text/tokenizer/tokenizer.json").toURI());
    } catch (java.net.URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }

  static String config(String bos, String eos) {
    return "{\"bos_token\": \"" + bos + "\", \"eos_token\": {\"content\": \"" + eos + "\"}}";
  }

  /** The small tokenizer with a {@code tokenizer_config.json}. */
  static Tokenizer small(Path directory, String config) {
    try {
      Files.createDirectories(directory);
      Files.copy(tokenizerFile(), directory.resolve("tokenizer.json"), StandardCopyOption.REPLACE_EXISTING);
      Files.writeString(directory.resolve("tokenizer_config.json"), config);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return Tokenizers.open(directory);
  }

  static Tokenizer small() {
    return Tokenizers.open(tokenizerFile().getParent());
  }

  /** The small tokenizer with the BOS and EOS that a family has. */
  static Tokenizer smallFor(String family, Path directory) {
    String config = family.startsWith("llama") ? LLAMA : family.equals("mistral") ? config("<s>", "</s>") : "{}";
    return small(directory.resolve(family), config);
  }

  /** A file of the shared material; the test is skipped where it is absent. */
  static Path shared(String path) {
    Path file = Path.of(System.getProperty("fettle.shared", "../shared")).resolve(path);
    assumeTrue(Files.exists(file), () -> "skipped: " + file + " is absent (set -Dfettle.shared=DIR)");
    return file;
  }

  static int[] ids(JsonNode array) {
    return array.valueStream().mapToInt(JsonNode::asInt).toArray();
  }

  static Conversation conversation(JsonNode node) {
    List<Message> messages = new ArrayList<>();
    for (JsonNode m : node.get("messages")) {
      List<ToolCall> calls = new ArrayList<>();
      for (JsonNode call : m.path("calls")) {
        calls.add(new ToolCall(call.get("id").asString(), call.get("name").asString(),
            call.get("arguments").toString()));
      }
      messages.add(new Message(m.get("role").asString(), m.get("content").asString(), m.path("reasoning").asString(""),
          calls, false));
    }
    return new Conversation(messages, node.get("tools").valueStream().map(JsonNode::toString).toList());
  }
}
