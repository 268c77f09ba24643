package dev.fettle.examples;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fettle.ranking.Hit;
import dev.fettle.ranking.VectorIndex;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

class VectorSearchTest {
  @TempDir
  private Path directory;

  @Test
  void lucenesGraphFindsNearlyAllOfWhatIsBest() {
    Outcome outcome = Outcome.of(VectorSearch::run, "--count", "3000", "--dimensions", "32", "--queries", "20",
        "--hnsw",
        "yes", "--top", "5");

    assertThat(outcome.err()).isEmpty();
    JsonNode figures = outcome.json();
    assertThat(figures.get("vectors").asInt()).isEqualTo(3000);
    assertThat(figures.get("hnsw_recall").asDouble()).isBetween(0.9, 1.0);
    assertThat(figures.get("query_ms").asDouble()).isPositive();
  }

  @Test
  void lucenesGraphIsMadeOfTheVectorsOfAFile() {
    Path file = directory.resolve("v.npy");
    try (VectorIndex index = VectorIndex.of(List.of("x", "y", "z"), new float[][] {{1, 0}, {0, 1}, {-3, 0}})) {
      index.write(file);
    }
    try (VectorIndex index = VectorIndex.read(file); LuceneHnsw graph = LuceneHnsw.of(index)) {
      assertThat(graph.search(new float[] {-1, 0.5f}, 2)).extracting(Hit::document).containsExactly("z", "y");
    }
    assertThat(Outcome.of(VectorSearch::run, "--vectors", file.toString(), "--queries", "2").json().get("vectors")
        .asInt())
        .isEqualTo(3);
  }
}
