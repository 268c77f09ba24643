package dev.fettle.support;

import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The order of the library's parts, and which type names which. A type is named without {@code dev.fettle.}, such as
 * {@code internal.text.Pieces}.
 */
public final class Layers {
  /** What needs no engine. Each part knows those in the rows before its own, and none beside it or after it. */
  public static final List<List<String>> CORE = List.of(
      List.of("internal"),
      List.of("internal.json"),
      List.of("internal.checkpoint", "internal.wire", "internal.template"),
      List.of("internal.model", "internal.text", "internal.data", "internal.chart", "internal.hub"),
      List.of("internal.ranking", "internal.recipe", "internal.gguf", "internal.openai"),
      List.of("internal.remote", "internal.serve", "internal.compare"));
  /** The engine of this machine, which the core finds through {@code internal.LocalEngine}. */
  public static final List<List<String>> ENGINE = List.of(
      List.of("internal.torch"),
      List.of("internal.network"),
      List.of("internal.local"));

  /** The packages of the API. What trains and samples knows no recipe. */
  public static final List<String> API = List.of("", "ranking", "recipes");
  private static final String RECIPES = "recipes";
  private static final List<String> KNOW_RECIPES = List.of(RECIPES, "internal.chart", "internal.recipe", "internal.compare");

  private static final Pattern NO_CODE = Pattern.compile(
      "(?s)/\\*.*?\\*/|//[^\n]*|\"\"\".*?\"\"\"|\"(?:[^\"\\\\\n]|\\\\.)*\"|'(?:[^'\\\\\n]|\\\\.)+'");
  private static final Pattern FULL = Pattern.compile("dev\\.fettle\\.((?:[a-z]\\w*\\.)*[A-Z]\\w*)");
  /** Simple names that do not stand for a type beside: imported ones, and those of types within. */
  private static final Pattern TAKEN =
      Pattern.compile("import (?:static )?[\\w.]+\\.(\\w+);|\\b(?:class|record|interface|enum) (\\w+)");
  private static final Pattern SIMPLE = Pattern.compile("(?<![.\\w])[A-Z]\\w*");

  /** The types that each type names in its source; what stands in comments and texts does not count. */
  private final Map<String, Set<String>> named = new TreeMap<>();

  private Layers(Map<String, String> sources) {
    sources.forEach((type, source) -> {
      String code = NO_CODE.matcher(source).replaceAll(" ");
      Set<String> names = new TreeSet<>();
      FULL.matcher(code).results().map(m -> m.group(1)).filter(sources::containsKey).forEach(names::add);
      Set<String> taken = new TreeSet<>();
      TAKEN.matcher(code).results().map(m -> m.group(1) == null ? m.group(2) : m.group(1)).forEach(taken::add);
      Matcher simple = SIMPLE.matcher(code);
      while (simple.find()) {
        String beside = type.substring(0, type.lastIndexOf('.') + 1) + simple.group();
        if (sources.containsKey(beside) && !taken.contains(simple.group())) {
          names.add(beside);
        }
      }
      names.remove(type);
      named.put(type, names);
    });
  }

  /** Those of the library as its source is. */
  public static Layers read() throws IOException {
    Map<String, String> sources = new HashMap<>();
    for (var file : SourceFiles.all().entrySet()) {
      if (file.getKey().matches("(.*/)?[A-Z]\\w*\\.java")) {
        sources.put(file.getKey().replace(".java", "").replace('/', '.'), Files.readString(file.getValue()));
      }
    }
    return new Layers(sources);
  }

  /** Those of given sources by the names of their types. */
  static Layers of(Map<String, String> sources) {
    return new Layers(sources);
  }

  /** All types. */
  public Set<String> types() {
    return named.keySet();
  }

  /** The part of the library that a type belongs to. */
  public static String part(String type) {
    return type.substring(0, Math.max(0, type.lastIndexOf('.')));
  }

  /** The row of a part, from 0; -1 for one that has no place in the order. */
  public static int row(String part) {
    List<List<String>> rows = new ArrayList<>(CORE);
    rows.addAll(ENGINE);
    return rows.indexOf(rows.stream().filter(row -> row.contains(part)).findFirst().orElse(List.of("nowhere")));
  }

  /** Whether a type belongs to the engine. */
  public static boolean isEngine(String type) {
    return row(part(type)) >= CORE.size();
  }

  /** Each type that names one of a part which its own part must not know. */
  public List<String> outOfOrder() {
    List<String> wrong = new ArrayList<>();
    named.forEach((type, names) -> {
      String own = part(type);
      int highest = API.contains(own) ? CORE.size() : row(own);
      if (highest < 0) {
        wrong.add(type + ": " + own + " has no place in the order of Layers");
      }
      names.stream().filter(other -> !part(other).equals(own) && (row(part(other)) >= highest || part(other).equals(RECIPES) && !KNOW_RECIPES.contains(own)))
          .forEach(other -> wrong.add(type + " names " + other));
    });
    return wrong;
  }

  /** Each circle of types that does not stay within one part, as the shortest way around it. */
  public List<String> circles() {
    Map<Set<String>, String> circles = new HashMap<>();
    named.forEach((from, names) -> names.stream().filter(to -> !part(to).equals(part(from))).forEach(to -> {
      List<String> back = way(to, from);
      if (!back.isEmpty()) {
        circles.putIfAbsent(new TreeSet<>(back), from + " -> " + String.join(" -> ", back));
      }
    }));
    return circles.values().stream().sorted().toList();
  }

  private List<String> way(String from, String to) {
    Map<String, String> before = new HashMap<>(Map.of(from, from));
    Queue<String> open = new ArrayDeque<>(List.of(from));
    while (!open.isEmpty() && !before.containsKey(to)) {
      String type = open.remove();
      named.get(type).stream().filter(next -> before.putIfAbsent(next, type) == null).forEach(open::add);
    }
    List<String> way = new ArrayList<>();
    for (String at = before.containsKey(to) ? to : from; !at.equals(from); at = before.get(at)) {
      way.add(at);
    }
    if (!way.isEmpty()) {
      way.add(from);
      Collections.reverse(way);
    }
    return way;
  }
}
