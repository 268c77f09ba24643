package dev.fettle.internal.remote;

import dev.fettle.FettleException;
import dev.fettle.Renderer;
import dev.fettle.Tokenizer;
import dev.fettle.internal.checkpoint.EmbeddedModel;
import dev.fettle.internal.checkpoint.JsonFields;
import dev.fettle.internal.checkpoint.StrictJson;
import dev.fettle.internal.hub.Hub;
import dev.fettle.internal.model.ModelConfig;
import dev.fettle.internal.text.ChatFormats;
import dev.fettle.internal.text.TokenizerDirectory;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * What is known here of a model that runs elsewhere: its tokenizer and settings, from a directory or the hub. They are
 * looked for when they are first needed. Thread-safe.
 */
final class ModelFacts {
  private static final Pattern HUB_NAME = Pattern.compile("[\\w.-]+(/[\\w.-]+)?");

  private final String name;
  private final Map<String, String> env;
  private final OptionalInt served;
  private String tokenizerId;
  private boolean sought;
  private Path directory;
  private String why = "";
  private Tokenizer tokenizer;
  private Renderer renderer;
  private Optional<ModelConfig> config;

  /**
   * What is known of a model.
   *
   * @param served the longest sequence that the service takes of it, if it says so
   */
  ModelFacts(String name, Map<String, String> env, OptionalInt served) {
    this.name = name;
    this.env = env;
    this.served = served;
  }

  /** What the service says the tokenizer is; it counts unless the tokenizer is in use already. */
  synchronized void tokenizerId(String id) {
    if (id != null && !id.isBlank() && tokenizer == null) {
      tokenizerId = id;
      sought = false;
    }
  }

  private Optional<Path> directory() {
    if (!sought) {
      sought = true;
      directory = null;
      String id = tokenizerId == null ? byName(name) : tokenizerId;
      try {
        directory = find(id);
        why = id + ": no such directory here, and not a name on the Hugging Face hub";
      } catch (FettleException e) {
        why = e.getMessage();
      }
    }
    return Optional.ofNullable(directory);
  }

  /** The tokenizer of a model that the service gives no tokenizer for. */
  private static String byName(String name) {
    String bare = isDirectory(name) ? name : name.split(":")[0];
    return bare.startsWith("meta-llama/Llama-3") ? "thinkingmachineslabinc/meta-llama-3-instruct-tokenizer" : bare;
  }

  private Path find(String id) {
    if (isDirectory(id)) {
      return Path.of(id);
    }
    String bare = id.split(":")[0];
    if (bare.equals(EmbeddedModel.NAME)) {
      return EmbeddedModel.directory();
    }
    String[] parts = bare.split("/");
    String repository = parts.length == 3 && !parts[0].isEmpty() ? parts[0] + "/" + parts[1] : bare;
    return HUB_NAME.matcher(repository).matches() ? new Hub(env).tokenizer(repository) : null;
  }

  private static boolean isDirectory(String id) {
    try {
      return Files.isDirectory(Path.of(id));
    } catch (InvalidPathException e) {
      return false;
    }
  }

  synchronized Tokenizer tokenizer() {
    if (tokenizer == null) {
      tokenizer = directory().map(TokenizerDirectory::openIfPresent).orElseGet(() -> TokenizerDirectory.absent(why));
    }
    return tokenizer;
  }

  synchronized Renderer renderer() {
    if (renderer == null) {
      renderer = ChatFormats.detect(tokenizer(), name, context());
    }
    return renderer;
  }

  /** The model's settings, if they are here and Fettle understands them. */
  synchronized Optional<ModelConfig> config() {
    if (config == null) {
      Optional<Path> file = directory().map(d -> d.resolve("config.json")).filter(Files::isRegularFile);
      try {
        config = file.map(ModelConfig::parse);
      } catch (FettleException e) {
        config = Optional.empty();
      }
    }
    return config;
  }

  /** The longest sequence that it takes, if anybody says so. */
  synchronized OptionalInt context() {
    return served.isPresent() ? served
        : config().map(c -> OptionalInt.of(c.contextLength())).orElse(OptionalInt.empty());
  }

  /** The directory, where it holds the whole model. */
  synchronized Optional<Path> weights() {
    return directory().filter(d -> Files.isRegularFile(d.resolve("model.safetensors"))
        || Files.isRegularFile(d.resolve("model.safetensors.index.json")));
  }

  /** The tokens that end a text of this model. */
  synchronized Set<Integer> ends() {
    Set<Integer> ends = new HashSet<>(renderer().stopTokens());
    OptionalInt eos = tokenizer().eos();
    eos.ifPresent(ends::add);
    config().ifPresent(c -> ends.addAll(c.eosIds()));
    Optional<Path> file = directory().map(d -> d.resolve("generation_config.json")).filter(Files::isRegularFile);
    file.ifPresent(f -> ends.addAll(new JsonFields(StrictJson.read(f), f.toString())
        .integers("eos_token_id", 0, Integer.MAX_VALUE)));
    return ends;
  }
}
