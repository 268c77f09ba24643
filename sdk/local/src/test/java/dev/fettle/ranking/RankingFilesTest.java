package dev.fettle.ranking;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fettle.InvalidInputException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RankingFilesTest {
  @TempDir
  private Path directory;

  private Path file(String text) throws Exception {
    return Files.writeString(directory.resolve("file"), text);
  }

  @Test
  void aRunIsReadByItsScoresWhateverItsRanksAndSpacesSay() throws Exception {
    RankedRun run = RankedRun.trec(file("# a comment\n  q1\tQ0 d#1  9 -1e2   old \r\n\n q1 Q0 \u00fc 1 3.5 new and more\nq0 0 x 1 -inf new"));

    assertThat(run.name()).isEqualTo("new");
    assertThat(run.queries()).containsExactly("q0", "q1");
    assertThat(run.ranking("q1")).containsExactly(new Hit("\u00fc", 3.5), new Hit("d#1", -100));
    assertThat(run.ranking("q0")).containsExactly(new Hit("x", Double.NEGATIVE_INFINITY));
    assertThat(run.ranking("q7")).isEmpty();
    assertThat(run).hasToString("RankedRun[new, 2 queries, 3 documents]");
  }

  @Test
  void whatIsWrittenIsReadBackTheSame() throws Exception {
    RankedRun run = RankedRun.of("name", Map.of("1", Map.of("a", 1.0 / 3, "b", -2e-30, "c", Double.POSITIVE_INFINITY),
        "2", Map.of("\u00fc", 0)));
    Qrels qrels = Qrels.of(Map.of("1", Map.of("a", 3, "b", -1), "2", Map.of("\u00fc", 0)));

    run.writeTrec(directory.resolve("run"));
    qrels.writeTrec(directory.resolve("qrels"));
    qrels.writeBeir(directory.resolve("qrels.tsv"));

    RankedRun read = RankedRun.trec(directory.resolve("run"));
    assertThat(read.name()).isEqualTo("name");
    assertThat(read.ranking("1")).isEqualTo(run.ranking("1")).extracting(Hit::document).containsExactly("c", "a", "b");
    assertThat(Files.readAllLines(directory.resolve("run")).get(1)).isEqualTo("1 Q0 a 2 0.3333333333333333 name");
    for (Qrels again : List.of(Qrels.trec(directory.resolve("qrels")), Qrels.beir(directory.resolve("qrels.tsv")))) {
      assertThat(again.grades("1")).isEqualTo(Map.of("a", 3, "b", -1));
      assertThat(again.grades("2")).isEqualTo(Map.of("\u00fc", 0));
      assertThat(again).hasToString("Qrels[2 queries, 3 judgements]");
    }
  }

  @Test
  void aNameThatTheFormCannotHoldIsRefusedAndNothingIsWritten() {
    RankedRun run = RankedRun.of("two words", Map.of("1", Map.of("a", 1)));

    assertThatThrownBy(() -> run.writeTrec(directory.resolve("run"))).isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("two words");
    assertThat(directory.resolve("run")).doesNotExist();
    run.named("one").writeTrec(directory.resolve("run"));
    assertThat(directory.resolve("run")).hasContent("1 Q0 a 1 1.0 one");
  }

  @ParameterizedTest
  @CsvSource(delimiter = '|', value = {
      "1 0 a|file:1: a line of 3 fields; expected four",
      "1 0 a 1 1|file:1: a line of 5 fields; expected four",
      "1 0 a 0.5|file:1: the grade \"0.5\" is not a whole number",
      "1 0 a x|file:1: the grade \"x\" is not a whole number",
      "# nothing|is empty: expected lines of query, iteration, document, grade"})
  void aWrongLineOfJudgementsIsNamed(String text, String message) throws Exception {
    Path file = file(text + "\n");
    assertThatThrownBy(() -> Qrels.trec(file)).isInstanceOf(InvalidInputException.class).hasMessageContaining(message);
  }

  @Test
  void aDocumentMayBeThereOnce() throws Exception {
    Path qrels = file("1 0 a 1\n2 0 a 1\n1 0 a 1\n");
    assertThatThrownBy(() -> Qrels.trec(qrels)).hasMessageContaining("file:3: document a is judged twice for query 1");
    Path run = file("1 Q0 a 1 1 x\n1 Q0 a 2 0 x\n");
    assertThatThrownBy(() -> RankedRun.trec(run)).hasMessageContaining("file:2: document a is there twice for query 1");
    Retriever stammering = (query, count) -> List.of(new Hit("a", 1), new Hit("a", 2));
    assertThatThrownBy(() -> RankedRun.of("x", Map.of("1", "text"), stammering, 3))
        .isInstanceOf(InvalidInputException.class).hasMessageContaining("document a is there twice");
  }

  @Test
  void aScoreMustBeANumber() throws Exception {
    for (String score : List.of("nan", "NaN", "high", "1,5")) {
      Path run = file("1 Q0 a 1 " + score + " x\n");
      assertThatThrownBy(() -> RankedRun.trec(run)).isInstanceOf(InvalidInputException.class)
          .hasMessageContaining("file:1: the score \"" + score + "\"");
    }
  }

  @Test
  void beirsJudgementsNeedTheirFirstLine() throws Exception {
    assertThat(Qrels.beir(file("query-id\tcorpus-id\tscore\r\n1\ta b\t2\r\n\n")).grades("1")).isEqualTo(Map.of("a b",
        2));
    Path trec = file("1 0 a 1\n");
    assertThatThrownBy(() -> Qrels.beir(trec)).hasMessageContaining("file:1").hasMessageContaining("Qrels.trec");
    Path broken = file("query-id\tcorpus-id\tscore\n1 a 2\n");
    assertThatThrownBy(() -> Qrels.beir(broken)).hasMessageContaining("file:2: a line of 1 fields");
  }

  @Test
  void partsAreTakenByQueryAndByDocument() {
    Qrels qrels = Qrels.of(Map.of("1", Map.of("a", 1, "b", 0), "2", Map.of("a", 1)));
    RankedRun run = RankedRun.of("r", Map.of("1", Map.of("a", 2, "b", 1), "2", Map.of("a", 1)));

    assertThat(qrels.without(List.of("a")).queries()).containsExactly("1");
    assertThat(qrels.only(List.of("2", "3")).queries()).containsExactly("2");
    assertThat(run.without(List.of("a")).ranking("1")).containsExactly(new Hit("b", 1));
    assertThat(run.only(List.of("2")).queries()).containsExactly("2");
    assertThatThrownBy(() -> qrels.only(List.of("3"))).hasMessageContaining("no judgement");
  }
}
