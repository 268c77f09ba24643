package dev.fettle.internal.template;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.fettle.InvalidInputException;
import dev.fettle.internal.json.JsonNode;
import dev.fettle.internal.json.JsonReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.HashMap;
import java.util.Map;

/** Templates, and what is given to them. */
final class TemplateFixtures {
  /** When the renderings of the shared cases were made. */
  static final Clock NOW = Clock.fixed(LocalDateTime.of(2026, 11, 27, 9, 5, 7).toInstant(ZoneOffset.UTC), ZoneOffset.UTC);

  private TemplateFixtures() {}

  static JsonNode json(String name) {
    try (InputStream in = TemplateFixtures.class.getResourceAsStream("/template/" + name)) {
      return JsonReader.STANDARD.read(in.readAllBytes());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static JsonNode json(Path file) {
    try {
      return JsonReader.STANDARD.read(Files.readAllBytes(file));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A file of the shared material; the test is skipped where it is absent. */
  static Path shared(String path) {
    Path file = Path.of(System.getProperty("fettle.shared", "../shared")).resolve(path);
    assumeTrue(Files.exists(file), () -> "skipped: " + file + " is absent (set -Dfettle.shared=DIR)");
    return file;
  }

  static Map<String, Object> variables(JsonNode node) {
    Map<String, Object> variables = new HashMap<>();
    node.properties().forEach(entry ->
        variables.put(entry.getKey(), JsonValues.of(entry.getValue(), new Origin(0, Origin.Field.CONTENT))));
    return variables;
  }

  /** What a template writes, or null if it cannot be read or refuses. */
  static String rendered(String source, Map<String, Object> variables) {
    try {
      return ChatTemplate.parse(source, "template").render(variables, 100_000, NOW).chars();
    } catch (InvalidInputException e) {
      return null;
    }
  }
}
