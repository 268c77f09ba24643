package dev.fettle.support;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/** The library's sources, of all its artifacts. */
public final class SourceFiles {
  /** Where the API is. */
  public static final Path API = Path.of("../core/src/main/java/dev/fettle");
  /** The compiled classes of the core. */
  public static final Path CORE_CLASSES = Path.of("../core/target/classes");

  private static final List<Path> API_PACKAGES = List.of(API, API.resolve("ranking"), API.resolve("recipes"));
  private static final List<Path> ROOTS = List.of(API, Path.of("src/main/java/dev/fettle"));

  private SourceFiles() {}

  /** Whether a source belongs to the API. */
  public static boolean isApi(Path file) {
    return API_PACKAGES.contains(file.getParent());
  }

  /** The sources of the API but for {@code package-info}. */
  public static List<Path> api() throws IOException {
    return all().values().stream().filter(f -> isApi(f) && !f.endsWith("package-info.java")).toList();
  }

  /** All of them by their path below {@code dev/fettle}. */
  public static Map<String, Path> all() throws IOException {
    Map<String, Path> out = new TreeMap<>();
    for (Path root : ROOTS) {
      try (Stream<Path> files = Files.walk(root)) {
        files.filter(f -> f.toString().endsWith(".java")).forEach(f -> out.put(root.relativize(f).toString(), f));
      }
    }
    return out;
  }
}
