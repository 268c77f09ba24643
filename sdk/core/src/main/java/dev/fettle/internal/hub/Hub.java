package dev.fettle.internal.hub;

import dev.fettle.InvalidInputException;
import dev.fettle.ServiceException;
import dev.fettle.internal.FileErrors;
import dev.fettle.internal.checkpoint.EncoderModules;
import dev.fettle.internal.checkpoint.EncoderSettings;
import dev.fettle.internal.checkpoint.JsonFields;
import dev.fettle.internal.checkpoint.Prompts;
import dev.fettle.internal.checkpoint.ShardIndex;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * The Hugging Face hub, or the mirror that HF_ENDPOINT names. Files that are in the cache are used as they are, without
 * asking whether the hub has newer ones. Thread-safe, also between processes.
 */
public final class Hub {
  private static final String CONFIG = "config.json";
  private static final String WEIGHTS = "model.safetensors";
  private static final String TOKENIZER = "tokenizer.json";
  private static final String CARD = "README.md";
  private static final String CONVERTED = "refs/convert/parquet";
  private static final List<String> SMALL = List.of("generation_config.json", "tokenizer_config.json",
      "special_tokens_map.json", "chat_template.jinja", "chat_template.json");
  private static final List<String> POOLING = List.of(EncoderSettings.SENTENCES, "1_Pooling/config.json", Prompts.FILE);

  private final Settings settings;
  private final Duration pause;

  /** With the variables of an environment. */
  public Hub(Map<String, String> env) {
    this(env, Duration.ofMillis(500));
  }

  Hub(Map<String, String> env, Duration pause) {
    this.settings = Settings.of(env);
    this.pause = pause;
  }

  /** Whether a text can be {@code owner/name} or {@code owner/name@revision} on the hub. */
  public static boolean isName(String text) {
    return Repository.parse(text).filter(Repository::hasOwner).isPresent();
  }

  /**
   * The directory of a model, with its weights.
   *
   * @param check is given config.json before the weights are fetched, and may refuse it
   * @throws InvalidInputException if the hub has no such model or does not give it, or a file is missing and nothing
   *     may be downloaded; the message says what to do
   * @throws ServiceException if the hub cannot be reached, or what came is damaged
   */
  public Path model(String name, Consumer<Path> check) {
    try (Snapshot snapshot = new Snapshot(settings, Repository.of(name), pause)) {
      if (snapshot.has(CONFIG) && hasWeights(snapshot)) {
        snapshot.isEnough();
      }
      Path config = snapshot.require(CONFIG);
      snapshot.requireNothingMissing(CONFIG);
      check.accept(config);
      SMALL.forEach(snapshot::find);
      snapshot.find(TOKENIZER);
      if (snapshot.find(EncoderSettings.MODULES)) {
        POOLING.forEach(snapshot::find);
        EncoderModules.folders(snapshot.path(EncoderSettings.MODULES)).forEach(folder -> {
          snapshot.find(folder + "/" + CONFIG);
          snapshot.find(folder + "/" + WEIGHTS);
        });
      }
      if (!hasWeights(snapshot) && !snapshot.find(WEIGHTS) && !snapshot.find(ShardIndex.NAME)) {
        snapshot.requireOnline(WEIGHTS);
        throw new InvalidInputException(snapshot.repository() + ": " + settings.host() + " has neither " + WEIGHTS
            + " nor " + ShardIndex.NAME + " of it; weights in other formats are not loaded: convert them first");
      }
      shards(snapshot).forEach(snapshot::require);
      snapshot.requireNothingMissing("");
      return config.getParent();
    }
  }

  private static boolean hasWeights(Snapshot snapshot) {
    return snapshot.has(WEIGHTS) || snapshot.has(ShardIndex.NAME) && shards(snapshot).stream().allMatch(snapshot::has);
  }

  private static Set<String> shards(Snapshot snapshot) {
    return snapshot.has(WEIGHTS) ? new LinkedHashSet<>()
        : new LinkedHashSet<>(ShardIndex.read(JsonFields.of(snapshot.path(ShardIndex.NAME))).values());
  }

  /**
   * The directory of a model's tokenizer and settings, without weights unless they are there; see {@link #model}.
   */
  public Path tokenizer(String name) {
    try (Snapshot snapshot = new Snapshot(settings, Repository.of(name), pause)) {
      if (snapshot.has(TOKENIZER)) {
        snapshot.isEnough();
      }
      Path file = snapshot.require(TOKENIZER);
      snapshot.requireNothingMissing("");
      SMALL.forEach(snapshot::find);
      snapshot.find(CONFIG);
      return file.getParent();
    }
  }

  /**
   * The files of a dataset's split, in order, all of one format.
   *
   * @param config the configuration; if empty the only or standard one
   * @param split if empty the only one, or that of training
   * @param format of a file by its name; empty for what cannot be read
   * @param check is given the names before they are fetched, and may refuse them
   * @throws InvalidInputException as {@link #model}, or if there is no such configuration or split
   * @throws ServiceException as {@link #model}
   */
  public <F> List<Path> dataset(String name, Optional<String> config, Optional<String> split, Function<String, Optional<F>> format,
      Consumer<List<String>> check) {
    Repository repository = Repository.of(Repository.Kind.DATASET, name);
    try (Snapshot snapshot = new Snapshot(settings, repository, pause)) {
      List<String> all = snapshot.files();
      List<String> readable = all.stream().filter(file -> format.apply(file).isPresent()).toList();
      if (readable.isEmpty() && all.stream().anyMatch(file -> file.endsWith(".py")) && repository.revision().equals(Repository.MAIN)) {
        // It was made by a program, which nothing runs any more; the hub keeps what came of it.
        return converted(repository.at(CONVERTED), config, split, format, check);
      }
      if (readable.isEmpty()) {
        throw new InvalidInputException(repository + ": it has no file in a format that is read (JSON, CSV, Parquet)"
            + (all.isEmpty() ? "" : "; it has " + String.join(", ", all.subList(0, Math.min(8, all.size()))))
            + (all.size() > 8 ? ", ..." : ""));
      }
      List<Card.Config> configs = all.contains(CARD) && snapshot.find(CARD)
          ? Card.configs(text(snapshot.path(CARD)), repository + ": " + CARD) : List.of();
      DataFiles data = new DataFiles(repository.toString(), readable, configs, snapshot.place());
      return fetched(snapshot, data.of(config, split), format, check);
    }
  }

  private <F> List<Path> converted(Repository repository, Optional<String> config, Optional<String> split,
      Function<String, Optional<F>> format, Consumer<List<String>> check) {
    try (Snapshot snapshot = new Snapshot(settings, repository, pause)) {
      DataFiles data = DataFiles.converted(repository.toString(), snapshot.files(), snapshot.place());
      return fetched(snapshot, data.of(config, split), format, check);
    }
  }

  private static <F> List<Path> fetched(Snapshot snapshot, List<String> files, Function<String, Optional<F>> format,
      Consumer<List<String>> check) {
    Map<F, List<String>> byFormat = new LinkedHashMap<>();
    files.forEach(file -> byFormat.computeIfAbsent(format.apply(file).orElseThrow(), f -> new ArrayList<>()).add(file));
    List<String> chosen = byFormat.values().stream().max(Comparator.comparingInt(List::size)).orElseThrow();
    check.accept(chosen);
    if (snapshot.isCut()) {
      snapshot.requireWhole(chosen);
    }
    chosen.forEach(snapshot::require);
    snapshot.requireNothingMissing("");
    return chosen.stream().map(snapshot::path).toList();
  }

  private static String text(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw FileErrors.unread(file, e);
    }
  }

  @Override
  public String toString() {
    return "Hub[" + settings.host() + "]";
  }
}
