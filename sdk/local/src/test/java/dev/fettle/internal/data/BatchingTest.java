package dev.fettle.internal.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fettle.Batch;
import dev.fettle.Batches;
import dev.fettle.Completion;
import dev.fettle.Dataset;
import dev.fettle.Example;
import dev.fettle.InvalidInputException;
import dev.fettle.Rendered;
import dev.fettle.Text;
import dev.fettle.TooLong;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BatchingTest {
  @TempDir Path dir;

  private static Dataset texts(String... texts) {
    return Dataset.of(Arrays.stream(texts).map(Text::new).toList());
  }

  private static List<Batch> list(Iterable<Batch> batches) {
    List<Batch> all = new ArrayList<>();
    batches.forEach(all::add);
    return all;
  }

  @Test
  void byCountWithASmallerLastBatch() {
    Batches batches = texts("AB", "CD", "EF", "GH", "IJ").batches(2, Fakes.characters());
    assertThat(Fakes.texts(batches)).containsExactly(List.of("AB", "CD"), List.of("EF", "GH"), List.of("IJ"));
    assertThat(Fakes.texts(batches)).as("and again").hasSize(3);
    assertThat(batches.count()).isEqualTo(3);
  }

  @Test
  void theSequencesOfOneExampleMayLieInTwoBatches() {
    assertThat(Fakes.texts(texts("AB|CD|EF", "GH|IJ").batches(2, Fakes.parts())))
        .containsExactly(List.of("AB", "CD"), List.of("EF", "GH"), List.of("IJ"));
  }

  @Test
  void byTokensWithinTheBudgetAndALongerSequenceAlone() {
    Batches batches = texts("ABC", "DEF", "GHI", "ABCDEFGHIJ", "AB", "CD").batchesByTokens(5, Fakes.characters());
    assertThat(Fakes.texts(batches)).containsExactly(List.of("ABC", "DEF"), List.of("GHI"), List.of("ABCDEFGHIJ"),
        List.of("AB", "CD"));
    assertThat(list(batches)).extracting(Batch::tokens).containsExactly(4, 2, 9, 2);
  }

  @Test
  void weightsMoveWithTheTargets() {
    Batch batch = list(Dataset.of(new Completion("ab", "cd")).batches(1, Fakes.characters())).get(0);
    assertThat(batch.data().get(0).weights()).containsExactly(0, 1, 1);
    assertThat(batch.data().get(0).targets()).containsExactly('b', 'c', 'd');
  }

  @Test
  void longerSequencesAreCutAndCounted() {
    List<Batch> batches = list(texts("ABCD", "ABC", "ABCDE", "AB").maxLength(3).batches(3, Fakes.characters()));
    assertThat(Fakes.texts(batches)).containsExactly(List.of("ABC", "ABC", "ABC"), List.of("AB"));
    assertThat(batches).extracting(Batch::cut).containsExactly(2, 0);
    assertThat(batches).extracting(Batch::skipped).containsExactly(0, 0);
  }

  @Test
  void longerSequencesAreLeftOutAndCounted() {
    List<Batch> batches = list(texts("AAAA", "ABC", "BBBB", "CD", "CCCC", "EF", "DDDD", "EEEE")
        .maxLength(3).tooLong(TooLong.SKIP).batches(2, Fakes.characters()));
    assertThat(Fakes.texts(batches)).containsExactly(List.of("ABC", "CD"), List.of("EF"));
    assertThat(batches).extracting(Batch::skipped).as("with those after the last batch").containsExactly(2, 3);
    assertThat(batches).extracting(Batch::cut).containsExactly(0, 0);
  }

  @Test
  void sequencesWithoutATrainedTokenAreLeftOutAndCounted() {
    List<Batch> batches = list(texts("A", "Aaaa", "AAA", "aaaA", "AaA").maxLength(3).batches(9, Fakes.characters()));
    assertThat(Fakes.texts(batches)).containsExactly(List.of("AAA", "AaA"));
    assertThat(batches.get(0).skipped()).isEqualTo(3);
    assertThat(batches.get(0).cut()).isZero();
  }

  @Test
  void nothingToTrainOnIsAnError() {
    Batches batches = texts("aaa", "AAAAA").maxLength(4).tooLong(TooLong.SKIP).batches(2, Fakes.characters());
    assertThatThrownBy(() -> batches.iterator().hasNext()).isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("2 examples, 1 sequences skipped as longer than 4 tokens, 1 skipped as without");
    Dataset part = texts("a").split(0.5, 0.5)[Fakes.texts(texts("a").split(0.5, 0.5)[0]).size()];
    assertThatThrownBy(() -> part.batches(1, Fakes.characters()).iterator().next())
        .isInstanceOf(InvalidInputException.class).hasMessageContaining("0 examples");
  }

  @Test
  void anErrorComesAfterTheBatchesBeforeIt() {
    Path file = Fakes.write(dir.resolve("a.jsonl"), "{\"text\":\"AB\"}", "{\"text\":\"CD\"}", "{");
    Iterator<Batch> batches = Dataset.jsonl(file).batches(2, Fakes.characters()).iterator();
    assertThat(batches.next().size()).isEqualTo(2);
    assertThatThrownBy(batches::hasNext).hasMessageContaining("a.jsonl:3: malformed JSON");
    assertThatThrownBy(batches::next).hasMessageContaining("a.jsonl:3: malformed JSON");
  }

  @Test
  void whatTheRendererRefusesIsReportedWithTheLine() {
    Path file = Fakes.write(dir.resolve("a.jsonl"), "{\"text\":\"AB\"}", "{\"text\":\"!\"}");
    Batches batches = Dataset.jsonl(file).batches(1, Fakes.renderer(BatchingTest::refuse));
    Iterator<Batch> iterator = batches.iterator();
    iterator.next();
    assertThatThrownBy(iterator::next).isInstanceOf(InvalidInputException.class)
        .hasMessage(file + ":2: no exclamation");
    assertThatThrownBy(() -> Dataset.of(new Text("!")).batches(1, Fakes.renderer(BatchingTest::refuse)).count())
        .hasMessage("example 1: no exclamation");
  }

  private static List<Rendered> refuse(Example example) {
    if (((Text) example).text().equals("!")) {
      throw new InvalidInputException("no exclamation");
    }
    return Fakes.characters().render(example);
  }

  @Test
  void afterTheEndThereIsNoBatch() {
    Iterator<Batch> batches = texts("AB").batches(1, Fakes.characters()).iterator();
    batches.next();
    assertThat(batches.hasNext()).isFalse();
    assertThatThrownBy(batches::next).isInstanceOf(NoSuchElementException.class);
  }
}
