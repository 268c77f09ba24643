package dev.fettle.examples;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fettle.ranking.Hit;
import dev.fettle.ranking.Retriever;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class RerankTest {
  static final Path RERANKER = Path.of("..", "sdk", "local", "src", "test", "resources", "golden", "rerankers", "bert");

  @TempDir
  private Path directory;

  @Test
  void printsTheBestLinesWithTheirScores() throws Exception {
    JsonNode golden = JsonMapper.shared().readTree(RERANKER.resolve("golden.json").toFile());
    List<String> texts = golden.get("texts").valueStream().map(JsonNode::asString).toList();
    Path file = Files.write(directory.resolve("texts.txt"), texts);

    Outcome outcome = Outcome.of(Rerank::run, "--model", RERANKER.toString(), "--query", golden.get("query").asString(), "--file",
        file.toString(), "--top", "3", "--dtype", "f32");

    assertThat(outcome.code()).as(outcome.err()).isZero();
    double best = golden.get("scores").valueStream().mapToDouble(JsonNode::asDouble).max().orElseThrow();
    List<String[]> lines = outcome.out().lines().map(line -> line.split("\t", -1)).toList();
    assertThat(lines).hasSize(3);
    assertThat(Double.parseDouble(lines.get(0)[0])).isCloseTo(best, org.assertj.core.api.Assertions.within(1e-3));
    for (String[] line : lines) {
      assertThat(Double.parseDouble(line[0])).isCloseTo(golden.get("scores").get(texts.indexOf(line[1])).asDouble(),
          org.assertj.core.api.Assertions.within(1e-3));
    }
  }

  @Test
  void whatIsNotReadFollowsInItsOldOrder() {
    Retriever first = (query, count) -> List.of(new Hit("a", 4), new Hit("b", 3), new Hit("c", 2), new Hit("d", 1));
    Retriever ranked = new Reranked(first, (query, texts) -> new float[] {-5, -1}, id -> id, 2);

    assertThat(ranked.search("q", 4)).extracting(Hit::document).containsExactly("b", "a", "c", "d");
    assertThat(ranked.search("q", 4)).isSortedAccordingTo((x, y) -> Double.compare(y.score(), x.score()));
    assertThat(ranked.search("q", 1)).extracting(Hit::document).containsExactly("b");
  }

  @Test
  void saysWhatIsWrong() throws Exception {
    Path file = Files.writeString(directory.resolve("texts.txt"), "a text\n");
    Outcome encoder = Outcome.of(Rerank::run, "--model", RERANKER.resolveSibling("../encoders/mean").toString(), "--query", "q",
        "--file", file.toString());

    assertThat(encoder.code()).isEqualTo(1);
    assertThat(encoder.err()).contains("embed");
    assertThat(Outcome.of(Rerank::run, "--model", "m").code()).isEqualTo(2);
  }
}
