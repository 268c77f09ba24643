package dev.fettle.internal.compare;

import dev.fettle.InvalidInputException;
import dev.fettle.internal.Digests;
import dev.fettle.internal.FileErrors;
import dev.fettle.internal.checkpoint.AtomicFiles;
import dev.fettle.internal.json.JsonException;
import dev.fettle.internal.json.JsonNode;
import dev.fettle.internal.json.JsonPrinter;
import dev.fettle.internal.json.JsonReader;
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
import java.util.TreeSet;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Stream;

/** {@code results.jsonl}: the settings, then a line for each run that has ended. Written anew with each, atomically. */
final class ResultsFile {
  static final String NAME = "results.jsonl";

  private final Path file;
  private final String head;
  private final List<RunResult> outcomes = new CopyOnWriteArrayList<>();

  private ResultsFile(Path file, String head) {
    this.file = file;
    this.head = head;
  }

  /** Reads what there is; other settings are refused. */
  static ResultsFile open(Path directory, Map<String, Object> settings) {
    Map<String, Object> texts = new TreeMap<>();
    settings.forEach((name, value) -> texts.put(name, String.valueOf(value)));
    Map<String, Object> head = new LinkedHashMap<>();
    head.put("run", "settings");
    head.put("sha256", Digests.sha256(JsonPrinter.line(texts)));
    head.put("settings", texts);
    ResultsFile results = new ResultsFile(directory.resolve(NAME), JsonPrinter.line(head));
    if (Files.exists(results.file)) {
      results.read(String.valueOf(head.get("sha256")), texts);
    } else {
      requireFree(directory);
    }
    return results;
  }

  /** The runs that a directory holds, whatever their settings. */
  static List<RunResult> read(Path directory) {
    Path file = directory.resolve(NAME);
    try {
      return Files.readAllLines(file).stream().skip(1).map(line -> RunResult.of(JsonReader.STANDARD.read(line))).toList();
    } catch (JsonException e) {
      throw new InvalidInputException(file + " is broken", e);
    } catch (IOException e) {
      throw FileErrors.unread(file, e);
    }
  }

  private static void requireFree(Path directory) {
    for (String name : Stream.concat(Stream.of(Summary.REPORT), Plots.FILES.stream()).toList()) {
      if (Files.exists(directory.resolve(name))) {
        throw new InvalidInputException(directory + " holds " + name + " without a " + NAME + ", so it is of no comparison "
            + "and would be replaced: give another directory");
      }
    }
  }

  /** What has come of the runs so far, for whoever ends them early. */
  String kept() {
    return outcomes.size() + " runs have ended and are kept in " + file + ": the same call goes on after them.";
  }

  private void read(String sha256, Map<String, Object> settings) {
    List<String> lines;
    try {
      lines = Files.readAllLines(file);
    } catch (IOException e) {
      throw FileErrors.unread(file, e);
    }
    for (int i = 0; i < lines.size(); i++) {
      JsonNode line;
      try {
        line = JsonReader.STANDARD.read(lines.get(i));
        if (i > 0) {
          outcomes.add(RunResult.of(line));
        }
      } catch (JsonException e) {
        throw new InvalidInputException(file + " line " + (i + 1) + " is broken: delete the line, and its run is made "
            + "again", e);
      }
      if (i == 0 && !line.path("sha256").asString("").equals(sha256)) {
        throw new InvalidInputException(file + " holds a comparison with other settings (" + differing(
            line.path("settings"), settings) + "): give another directory, or delete it");
      }
    }
  }

  private static String differing(JsonNode before, Map<String, Object> now) {
    TreeSet<String> names = new TreeSet<>(now.keySet());
    names.addAll(before.propertyNames());
    names.removeIf(name -> before.path(name).asString("").equals(now.getOrDefault(name, "")));
    List<String> shown = new ArrayList<>();
    for (String name : names) {
      String was = before.path(name).asString("none");
      String is = String.valueOf(now.getOrDefault(name, "none"));
      shown.add(name + " " + (was.length() > 40 || is.length() > 40 ? "changed" : was + ", now " + is));
    }
    return shown.isEmpty() ? "no comparison" : String.join("; ", shown);
  }

  Optional<RunResult> find(String kind, Method method, double rate, long seed) {
    return outcomes.stream().filter(o -> o.is(kind, method, rate, seed)).findFirst();
  }

  Optional<RunResult> base() {
    return outcomes.stream().filter(o -> o.kind().equals("base")).findFirst();
  }

  /** The mean time of a run of a method, or of any; NaN if there was none. */
  double wall(String method) {
    List<RunResult> runs = outcomes.stream().filter(o -> !o.kind().equals("base")).toList();
    return runs.stream().filter(o -> o.method().equals(method)).mapToDouble(RunResult::wall).average()
        .orElseGet(() -> runs.stream().mapToDouble(RunResult::wall).average().orElse(Double.NaN));
  }

  void add(RunResult outcome) {
    outcomes.add(outcome);
    StringBuilder all = new StringBuilder(head).append('\n');
    outcomes.forEach(o -> all.append(JsonPrinter.line(o.json())).append('\n'));
    ByteBuffer bytes = ByteBuffer.wrap(all.toString().getBytes(StandardCharsets.UTF_8));
    AtomicFiles.writeFile(file, channel -> {
      while (bytes.hasRemaining()) {
        channel.write(bytes);
      }
    });
  }
}
