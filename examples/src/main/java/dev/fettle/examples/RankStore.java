package dev.fettle.examples;

import dev.fettle.InvalidInputException;
import dev.fettle.internal.FileErrors;
import dev.fettle.internal.checkpoint.AtomicFiles;
import dev.fettle.ranking.RankedRun;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import tools.jackson.core.JacksonException;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.json.JsonMapper;

/**
 * What a comparison has found so far: {@code results.jsonl}, first the settings, then a line for each unit, and
 * {@code rankings/} in TREC's form. Written with each unit, so that an interrupted comparison goes on after it.
 */
final class RankStore {
  private static final JsonMapper JSON = new JsonMapper();

  private final Path directory;
  private final Path file;
  private final Map<String, String> settings;
  private final Map<String, RankCosts> costs = new LinkedHashMap<>();

  private RankStore(Path directory, Map<String, String> settings) {
    this.directory = directory;
    this.file = directory.resolve("results.jsonl");
    this.settings = settings;
  }

  /** Opens a directory; one with other settings is refused. */
  static RankStore open(Path directory, Map<String, String> settings) {
    RankStore store = new RankStore(directory, new TreeMap<>(settings));
    try {
      Files.createDirectories(directory.resolve("rankings"));
    } catch (IOException e) {
      throw FileErrors.unsaved(directory, e);
    }
    if (Files.exists(store.file)) {
      store.read();
    }
    return store;
  }

  private void read() {
    int number = 1;
    try {
      List<String> lines = Files.readAllLines(file);
      Map<String, String> before = JSON.readValue(lines.get(0), new TypeReference<>() {});
      List<String> changed = settings.keySet().stream().filter(k -> !settings.get(k).equals(before.get(k)))
          .map(k -> k + " " + before.get(k) + ", now " + settings.get(k)).toList();
      if (!changed.isEmpty()) {
        throw new InvalidInputException(file + " holds a comparison with other settings (" + String.join("; ", changed)
            + "): give another --out, or delete it");
      }
      for (String line : lines.subList(1, lines.size())) {
        number++;
        RankCosts unit = JSON.readValue(line, RankCosts.class);
        costs.put(unit.key(), unit);
      }
    } catch (JacksonException e) {
      throw new InvalidInputException(file + " line " + number + " is broken: delete the line, and its unit is done again", e);
    } catch (IOException e) {
      throw FileErrors.unread(file, e);
    }
  }

  Path directory() {
    return directory;
  }

  Optional<RankCosts> costs(String key) {
    return Optional.ofNullable(costs.get(key));
  }

  /** Of all units whose key begins so. */
  List<RankCosts> beginning(String prefix) {
    return costs.values().stream().filter(c -> c.key().startsWith(prefix)).toList();
  }

  int size() {
    return costs.size();
  }

  /** The rankings of a unit. */
  RankedRun run(String key) {
    return RankedRun.trec(rankings(key));
  }

  private Path rankings(String key) {
    return directory.resolve("rankings").resolve(key + ".trec");
  }

  /** Keeps a unit; its rankings first, so that what has a line is complete. */
  void add(RankCosts unit, RankedRun run) {
    run.writeTrec(rankings(unit.key()));
    add(unit);
  }

  /** Keeps a unit that has no rankings. */
  void add(RankCosts unit) {
    costs.put(unit.key(), unit);
    List<String> lines = new ArrayList<>(List.of(JSON.writeValueAsString(settings)));
    costs.values().forEach(c -> lines.add(JSON.writeValueAsString(c)));
    write("results.jsonl", String.join("\n", lines) + "\n");
  }

  /** Writes or replaces a file beside the results. */
  void write(String name, String text) {
    ByteBuffer bytes = ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
    AtomicFiles.writeFile(directory.resolve(name), channel -> {
      while (bytes.hasRemaining()) {
        channel.write(bytes);
      }
    });
  }
}
