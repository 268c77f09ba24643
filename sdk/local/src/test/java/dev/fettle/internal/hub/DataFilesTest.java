package dev.fettle.internal.hub;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Splits by names of files, as Python's {@code datasets} finds them in 161 made-up repositories. */
class DataFilesTest {
  @Test
  void splitsByNamesAreThoseOfPythonsDatasets() throws Exception {
    JsonNode cases;
    try (InputStream in = DataFilesTest.class.getResourceAsStream("/golden/dataset-layouts.json")) {
      cases = new JsonMapper().readTree(in);
    }
    int compared = 0;
    for (JsonNode layout : cases) {
      List<String> files = new ArrayList<>();
      layout.get("files").forEach(file -> files.add(file.stringValue()));
      DataFiles found = new DataFiles("org/data", files, List.of(), "there");
      for (var split : layout.get("splits").properties()) {
        List<String> expected = new ArrayList<>();
        split.getValue().forEach(file -> expected.add(file.stringValue()));
        assertThat(found.of(Optional.empty(), Optional.of(split.getKey()))).as(split.getKey() + " of " + files)
            .containsExactlyInAnyOrderElementsOf(expected);
        compared++;
      }
      assertThat(found.splitNames()).as("splits of " + files).containsExactlyInAnyOrderElementsOf(layout.get("splits").propertyNames());
    }
    assertThat(compared).isGreaterThan(200);
  }
}
