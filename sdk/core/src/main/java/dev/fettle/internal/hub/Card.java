package dev.fettle.internal.hub;

import dev.fettle.InvalidInputException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;

/** The configurations that a dataset's README.md names, in the YAML between lines of three hyphens at its beginning. */
final class Card {
  private static final String TRAIN = "train";

  private Card() {}

  /**
   * A configuration.
   *
   * @param standard whether it is meant where none is named
   * @param directory below which its files are; empty for the whole repository
   * @param patterns of file names by split; empty if splits follow from names
   */
  record Config(String name, boolean standard, String directory, Map<String, List<String>> patterns) {}

  /** Those of a card's text; none if it names none. */
  static List<Config> configs(String readme, String origin) {
    String text = readme.startsWith("\uFEFF") ? readme.substring(1) : readme;
    if (!text.startsWith("---")) {
      return List.of();
    }
    int end = text.indexOf("\n---", 3);
    Object card;
    try {
      card = new Load(LoadSettings.builder().setLabel("README.md").setMaxAliasesForCollections(50).build())
          .loadFromString(text.substring(3, end < 0 ? text.length() : end));
    } catch (YamlEngineException e) {
      throw new InvalidInputException(origin + ": the YAML at its beginning cannot be read: "
          + String.valueOf(e.getMessage()).lines().findFirst().orElse("") + "; name the files: Dataset.jsonl, csv or parquet", e);
    }
    List<Config> configs = new ArrayList<>();
    if (card instanceof Map<?, ?> map && map.get("configs") instanceof List<?> list) {
      for (Object entry : list) {
        if (entry instanceof Map<?, ?> config) {
          configs.add(config(config, origin));
        }
      }
    }
    return configs;
  }

  private static Config config(Map<?, ?> config, String origin) {
    Object name = config.get("config_name");
    Object directory = config.get("data_dir");
    return new Config(name == null ? DataFiles.STANDARD : name.toString(), Boolean.TRUE.equals(config.get("default")),
        directory == null ? "" : directory.toString().replaceFirst("^(\\./)+", "").replaceFirst("/+$", ""),
        patterns(config.get("data_files"), origin));
  }

  /** A pattern or several are of the training split; else each entry names its own. */
  private static Map<String, List<String>> patterns(Object files, String origin) {
    Map<String, List<String>> patterns = new LinkedHashMap<>();
    if (files instanceof List<?> list && list.stream().anyMatch(Map.class::isInstance)) {
      for (Object entry : list) {
        if (!(entry instanceof Map<?, ?> map) || map.get("path") == null) {
          throw new InvalidInputException(origin + ": an entry of data_files without a path: " + entry);
        }
        patterns.computeIfAbsent(String.valueOf(map.get("split") == null ? TRAIN : map.get("split")), s -> new ArrayList<>())
            .addAll(texts(map.get("path")));
      }
    } else if (files instanceof Map<?, ?> map) {
      map.forEach((split, paths) -> patterns.put(String.valueOf(split), texts(paths)));
    } else if (files != null) {
      patterns.put(TRAIN, texts(files));
    }
    return patterns;
  }

  private static List<String> texts(Object value) {
    return value instanceof List<?> list ? list.stream().map(String::valueOf).toList() : List.of(String.valueOf(value));
  }
}
