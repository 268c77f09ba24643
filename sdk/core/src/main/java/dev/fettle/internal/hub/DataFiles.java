package dev.fettle.internal.hub;

import dev.fettle.InvalidInputException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Supplier;
import java.util.regex.Pattern;

/**
 * Which files are the splits of a dataset's configuration: those that its card names, else those whose names say it, as Python's
 * {@code datasets} takes them.
 */
final class DataFiles {
  /** The configuration that is meant where none is named. */
  static final String STANDARD = "default";
  private static final Set<String> NO_DATA = Set.of("README.md", "config.json", "dataset_info.json", "dataset_infos.json",
      "dummy_data.zip", "dataset_dict.json");
  private static final Map<String, String> WORDS = new LinkedHashMap<>();
  private static final String BETWEEN = "[-._ 0-9]";
  private static final Pattern SHARD = Pattern.compile("data/([^/]+)-\\d{5}-of-\\d{5}[^/]*\\.[^/]*");

  static {
    WORDS.put("train", "train|training");
    WORDS.put("validation", "validation|valid|dev|val");
    WORDS.put("test", "test|testing|eval|evaluation");
  }

  private final String origin;
  private final List<String> files;
  private final List<Card.Config> configs;
  private final String place;

  /**
   * Of the files of a repository that can be read, and what its card says of them.
   *
   * @param place where they are, for errors: {@code there}, or in the cache
   */
  DataFiles(String origin, List<String> files, List<Card.Config> configs, String place) {
    this.place = place;
    this.origin = origin;
    this.files = files.stream().filter(DataFiles::isData).toList();
    this.configs = configs;
  }

  private static boolean isData(String file) {
    List<String> parts = List.of(file.split("/"));
    return !NO_DATA.contains(parts.get(parts.size() - 1)) && parts.stream().noneMatch(p -> p.startsWith(".") || p.startsWith("__"));
  }

  /** The files of a split; where none is named it is the only one, or that of training. */
  List<String> of(Optional<String> config, Optional<String> split) {
    Map<String, Supplier<List<String>>> splits = splits(config);
    if (splits.isEmpty()) {
      throw new InvalidInputException(origin + ": no file of data" + config.map(c -> " of configuration " + c).orElse("") + " is "
          + place);
    }
    String wanted = split.orElseGet(() -> splits.size() == 1 ? splits.keySet().iterator().next() : "train");
    if (splits.containsKey(wanted)) {
      return splits.get(wanted).get();
    }
    String slice = wanted.contains("[") || wanted.contains("+")
        ? "; for parts of a split use take or split, for several mix" : "";
    throw new InvalidInputException(origin + config.map(c -> ", configuration " + c).orElse("") + ": "
        + (split.isEmpty() ? "name a split" : "there is no split \"" + wanted + "\"") + "; it has "
        + String.join(", ", splits.keySet()) + slice);
  }

  /** The splits of the only or standard configuration. */
  Set<String> splitNames() {
    return splits(Optional.empty()).keySet();
  }

  private Map<String, Supplier<List<String>>> splits(Optional<String> name) {
    Map<String, Supplier<List<String>>> splits = new LinkedHashMap<>();
    if (configs.isEmpty()) {
      below(name.filter(n -> !n.equals(STANDARD)).map(this::directory).orElse("")).forEach((split, of) -> splits.put(split, () -> of));
      return splits;
    }
    Card.Config config = config(name);
    String directory = config.directory().isEmpty() ? "" : config.directory() + "/";
    if (config.patterns().isEmpty()) {
      below(directory).forEach((split, of) -> splits.put(split, () -> of));
    }
    config.patterns().forEach((split, patterns) -> splits.put(split, () -> matching(directory, patterns)));
    return splits;
  }

  private Card.Config config(Optional<String> name) {
    List<String> names = configs.stream().map(Card.Config::name).toList();
    if (name.isPresent()) {
      return configs.stream().filter(c -> c.name().equals(name.get())).findFirst()
          .orElseGet(() -> standard().filter(c -> name.get().equals(STANDARD)).orElseThrow(() -> new InvalidInputException(
              origin + ": there is no configuration \"" + name.get() + "\"; it has " + String.join(", ", names))));
    }
    return standard().orElseThrow(() -> new InvalidInputException(origin + ": name a configuration; it has "
        + String.join(", ", names)));
  }

  private Optional<Card.Config> standard() {
    return configs.size() == 1 ? Optional.of(configs.get(0))
        : configs.stream().filter(Card.Config::standard).findFirst()
            .or(() -> configs.stream().filter(c -> c.name().equals(STANDARD)).findFirst());
  }

  private String directory(String config) {
    if (files.stream().anyMatch(f -> f.startsWith(config + "/"))) {
      return config + "/";
    }
    Set<String> directories = new TreeSet<>();
    files.stream().filter(f -> f.contains("/")).forEach(f -> directories.add(f.substring(0, f.indexOf('/'))));
    throw new InvalidInputException(origin + ": there is no configuration \"" + config + "\": its card names none, and it has no "
        + "directory of that name" + (directories.isEmpty() ? "" : "; it has " + String.join(", ", directories)));
  }

  private List<String> matching(String directory, List<String> patterns) {
    Set<String> found = new LinkedHashSet<>();
    for (String pattern : patterns) {
      String plain = pattern.replaceFirst("^(\\./)+", "");
      if (plain.contains("://") || List.of(plain.split("/")).contains("..")) {
        throw new InvalidInputException(origin + ": its card names files of another place, " + pattern + "; download them, and read "
            + "them with Dataset.jsonl, csv or parquet");
      }
      Pattern regex = Pattern.compile(Pattern.quote(directory) + glob(plain));
      List<String> matched = files.stream().filter(f -> regex.matcher(f).matches()).toList();
      if (matched.isEmpty()) {
        throw new InvalidInputException(origin + ": its card names " + directory + pattern + ", but no such file is " + place);
      }
      found.addAll(matched);
    }
    return List.copyOf(found);
  }

  private static String glob(String pattern) {
    StringBuilder regex = new StringBuilder();
    for (int i = 0; i < pattern.length(); i++) {
      char c = pattern.charAt(i);
      int close = c == '[' ? pattern.indexOf(']', i + 2) : -1;
      if (pattern.startsWith("**/", i)) {
        regex.append("(?:.*/)?");
        i += 2;
      } else if (pattern.startsWith("**", i)) {
        regex.append(".*");
        i++;
      } else if (c == '*') {
        regex.append("[^/]*");
      } else if (c == '?') {
        regex.append("[^/]");
      } else if (close > 0) {
        String in = pattern.substring(i + 1, close);
        regex.append('[').append(in.startsWith("!") ? "^" + in.substring(1).replaceAll("[\\\\\\[&^]", "\\\\$0")
            : in.replaceAll("[\\\\\\[&^]", "\\\\$0")).append(']');
        i = close;
      } else {
        regex.append(Pattern.quote(String.valueOf(c)));
      }
    }
    return regex.toString();
  }

  /** The splits that names of files and directories below a directory say; all is of training if they say nothing. */
  private Map<String, List<String>> below(String directory) {
    List<String> names = files.stream().filter(f -> f.startsWith(directory)).map(f -> f.substring(directory.length())).toList();
    Map<String, List<String>> splits = new LinkedHashMap<>();
    for (String name : names) {
      var shard = SHARD.matcher(name);
      if (shard.matches()) {
        splits.computeIfAbsent(shard.group(1), s -> new ArrayList<>()).add(directory + name);
      }
    }
    String end = "(?:" + BETWEEN + "[^/]*)?";
    for (String place : List.of("(?:.*/)?(?:[^/]*" + BETWEEN + ")?(?:%s)" + end + "/.*",
        "(?:.*/)?(?:[^/]*" + BETWEEN + ")?(?:%s)" + BETWEEN + "[^/]*")) {
      if (splits.isEmpty()) {
        WORDS.forEach((split, words) -> {
          Pattern pattern = Pattern.compile(String.format(place, words));
          List<String> of = names.stream().filter(n -> pattern.matcher(n).matches()).map(n -> directory + n).toList();
          if (!of.isEmpty()) {
            splits.put(split, of);
          }
        });
      }
    }
    if (splits.isEmpty() && !names.isEmpty()) {
      splits.put("train", names.stream().map(n -> directory + n).toList());
    }
    return splits;
  }

  /** What the hub itself converted to Parquet: {@code configuration/split/0000.parquet}. */
  static DataFiles converted(String origin, List<String> files, String place) {
    Map<String, Map<String, List<String>>> found = new LinkedHashMap<>();
    for (String file : files) {
      String[] parts = file.split("/");
      if (parts.length == 3 && file.endsWith(".parquet")) {
        found.computeIfAbsent(parts[0], c -> new LinkedHashMap<>()).computeIfAbsent(parts[1], s -> new ArrayList<>()).add(file);
      }
    }
    return new DataFiles(origin, files,
        found.entrySet().stream().map(c -> new Card.Config(c.getKey(), false, "", c.getValue())).toList(), place);
  }
}
