package dev.fettle.ranking;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fettle.InvalidInputException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RetrievalDataTest {
  private static final Retriever ALPHABET = (query, count) -> IntStream.range(0, Math.min(count, 6))
      .mapToObj(i -> new Hit(String.valueOf((char) ('a' + i)), -i)).toList();

  @TempDir
  private Path directory;

  private static RetrievalData letters() {
    List<Document> documents = IntStream.range(0, 6)
        .mapToObj(i -> String.valueOf((char) ('a' + i))).map(id -> new Document(id, "T" + id, "text " + id)).toList();
    return RetrievalData.of(documents, Map.of("q", "query", "unjudged", "other"),
        Qrels.of(Map.of("q", Map.of("b", 1, "d", 0, "c", 2, "gone", 1))));
  }

  @Test
  void beirsLayoutIsWrittenAndReadBackTheSame() {
    letters().writeBeir(directory, "train");

    RetrievalData read = RetrievalData.beir(directory, "train");

    assertThat(read.corpus()).isEqualTo(letters().corpus());
    assertThat(read.corpus().keySet()).containsExactly("a", "b", "c", "d", "e", "f");
    assertThat(read.queries()).isEqualTo(Map.of("q", "query"));
    assertThat(read.qrels().grades("q")).isEqualTo(letters().qrels().grades("q"));
    assertThat(read).hasToString("RetrievalData[6 documents, 1 queries, Qrels[1 queries, 4 judgements]]");
    assertThatThrownBy(() -> RetrievalData.beir(directory, "dev")).isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("dev.tsv");
  }

  @Test
  void eachRelevantDocumentMakesAPair() {
    assertThat(letters().pairs().all()).containsExactly(Triple.of("query", "Tb text b"), Triple.of("query",
        "Tc text c"));
  }

  @Test
  void negativesAreTheBestThatNobodyJudged() {
    Triples triples = letters().triples(HardNegatives.from(ALPHABET, 2));

    assertThat(triples).extracting(Triple::positive).containsExactly("Tb text b", "Tc text c");
    assertThat(triples).allSatisfy(t -> assertThat(t.negatives()).containsExactly("Ta text a", "Te text e"));
  }

  @Test
  void negativesCanLeaveOutTheTopTakeJudgedOnesAndBeDrawn() {
    HardNegatives mining = HardNegatives.from(ALPHABET, 2);

    assertThat(letters().triples(mining.skip(1)).all().get(0).negatives()).containsExactly("Te text e", "Tf text f");
    assertThat(letters().triples(mining.judgedToo()).all().get(0).negatives()).containsExactly("Ta text a",
        "Td text d");
    assertThat(letters().triples(mining.depth(3)).all().get(0).negatives()).containsExactly("Ta text a");
    List<String> drawn = letters().triples(mining.sampled(1)).all().get(0).negatives();
    assertThat(drawn).hasSize(2).isSubsetOf("Ta text a", "Te text e", "Tf text f")
        .isEqualTo(letters().triples(mining.sampled(1)).all().get(0).negatives());
    assertThat(IntStream.range(0, 20).mapToObj(s -> letters().triples(mining.sampled(s)).all().get(0).negatives()))
        .anyMatch(other -> !other.equals(drawn));
    assertThatThrownBy(() -> mining.skip(60)).isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("skip = 60");
  }

  @Test
  void triplesOfLargeFilesAreReadAsTheyAreAskedFor() throws Exception {
    Path first = Files.writeString(directory.resolve("first.jsonl"),
        "{\"query\":\"a\",\"positive\":[\"1\",\"2\"]}\n\n{\"query\":\"b\",\"positive\":\"3\"}\n");
    Path second = Files.writeString(directory.resolve("second.jsonl"),
        "{\"query\":\"c\",\"positive\":\"4\"}\n{\"query\":\"d\"}\n");

    Iterable<List<Triple>> batches = Triples.streamed(2, first, second);

    for (int time = 0; time < 2; time++) {
      Iterator<List<Triple>> read = batches.iterator();
      assertThat(read.next()).isEqualTo(Triples.jsonl(first).all().subList(0, 2));
      assertThatThrownBy(() -> {
        read.next();
        read.next();
      }).isInstanceOf(InvalidInputException.class).hasMessageContaining("second.jsonl:2");
    }
    assertThat(Triples.streamed(2, first)).extracting(List::size).containsExactly(2, 1);
    assertThatThrownBy(() -> Triples.streamed(2)).isInstanceOf(InvalidInputException.class);
    assertThatThrownBy(() -> Triples.streamed(0, first)).hasMessageContaining("batch size = 0");
  }

  @Test
  void triplesAreReadInTheFormsThatPeopleHave() throws Exception {
    Path file = Files.writeString(directory.resolve("t.jsonl"), """
        {"query": "q", "positive": "p"}
        {"anchor": "q", "positive": "p", "negative": "n"}

        {"query": "q", "pos": ["p", "r"], "neg": ["n", "m"]}
        {"query": "q", "positive": "p", "negatives": null, "other": 1}
        """);

    Triples triples = Triples.jsonl(file);

    assertThat(triples.all()).containsExactly(Triple.of("q", "p"), new Triple("q", "p", List.of("n")),
        new Triple("q", "p", List.of("n", "m")), new Triple("q", "r", List.of("n", "m")), Triple.of("q", "p"));
    triples.write(directory.resolve("again.jsonl"));
    assertThat(Triples.jsonl(directory.resolve("again.jsonl")).all()).isEqualTo(triples.all());
    assertThat(triples.batches(2)).extracting(List::size).containsExactly(2, 2, 1);
    assertThat(triples.shuffle(3).all()).containsExactlyInAnyOrderElementsOf(triples.all())
        .isEqualTo(triples.shuffle(3).all());
    assertThat(triples.plus(triples)).hasToString("Triples[10, 10 negatives]");
  }

  @Test
  void aWrongLineIsNamed() throws Exception {
    Map<String, String> wrong = Map.of("{\"query\": \"q\"}", "no positive text in an object with the keys query",
        "{\"positive\": \"p\"}", "query is missing", "{\"query\": \"q\", \"positive\": 3}", "positive is the number 3",
        "{\"query\": \"\", \"positive\": \"p\"}", "query is empty",
        "{\"query\": \"q\", \"positive\": \"p\", \"negatives\": [\"n\", 1]}", "negatives[1] is the number 1",
        "[]", "a list; expected an object");
    for (Map.Entry<String, String> line : wrong.entrySet()) {
      Path file = Files.writeString(directory.resolve("t.jsonl"),
          "{\"query\": \"q\", \"positive\": \"p\"}\n" + line.getKey());
      assertThatThrownBy(() -> Triples.jsonl(file)).isInstanceOf(InvalidInputException.class)
          .hasMessageContaining("t.jsonl:2: ").hasMessageContaining(line.getValue());
    }
  }

  @Test
  void dataThatDoesNotFitTogetherIsRefused() {
    Qrels qrels = Qrels.of(Map.of("q", Map.of("a", 1)));
    Document document = new Document("a", "", "x");

    assertThatThrownBy(() -> RetrievalData.of(List.of(document), Map.of("other", "x"), qrels))
        .isInstanceOf(InvalidInputException.class).hasMessageContaining("[q]");
    assertThatThrownBy(() -> RetrievalData.of(List.of(document, document), Map.of("q", "x"), qrels))
        .hasMessageContaining("document a is there twice");
    assertThat(document.whole()).isEqualTo("x");
    assertThat(new Document("b", "t", "").whole()).isEqualTo("t");
  }
}
