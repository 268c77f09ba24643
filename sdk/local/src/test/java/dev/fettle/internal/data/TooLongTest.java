package dev.fettle.internal.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fettle.Batch;
import dev.fettle.Batches;
import dev.fettle.Completion;
import dev.fettle.DataPosition;
import dev.fettle.Dataset;
import dev.fettle.Example;
import dev.fettle.InvalidInputException;
import dev.fettle.Renderer;
import dev.fettle.Text;
import dev.fettle.TooLong;
import dev.fettle.support.ErrorStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Sequences longer than the model's context: here it has five tokens, and each character is one. */
class TooLongTest {
  private static final Dataset DATA = Dataset.of(new Text("AB"), new Text("ABCDEFG"), new Text("CD"), new Text("ABCDEF"));

  @TempDir Path dir;
  @RegisterExtension
  final ErrorStream err = new ErrorStream();
  private final AtomicInteger rendered = new AtomicInteger();

  private Renderer model() {
    return Fakes.within(5, example -> {
      rendered.incrementAndGet();
      return Fakes.characters().render(example);
    });
  }

  private static List<Batch> read(Iterable<Batch> batches) {
    List<Batch> all = new ArrayList<>();
    batches.forEach(all::add);
    return all;
  }

  @Test
  void byDefaultTheyAreCutAtTheContext() {
    Batches batches = DATA.batches(4, model());

    assertThat(Fakes.texts(batches)).containsExactly(List.of("AB", "ABCDE", "CD", "ABCDE"));
    assertThat(read(batches).get(0)).extracting(Batch::cut, Batch::skipped).containsExactly(2, 0);
  }

  @Test
  void aLimitCountsUpToTheContext() {
    assertThat(Fakes.texts(DATA.maxLength(3).batches(4, model()))).containsExactly(List.of("AB", "ABC", "CD", "ABC"));
    assertThat(Fakes.texts(DATA.maxLength(6).batches(4, model()))).containsExactly(List.of("AB", "ABCDE", "CD", "ABCDE"));
    assertThat(Fakes.texts(DATA.maxLength(6).batches(4, Fakes.characters()))).as("no model is known")
        .containsExactly(List.of("AB", "ABCDEF", "CD", "ABCDEF"));
  }

  @Test
  void theyMayBeSkippedWithOrWithoutALimit() {
    assertThat(Fakes.texts(DATA.tooLong(TooLong.SKIP).batches(2, model()))).containsExactly(List.of("AB", "CD"));
    assertThat(Fakes.texts(DATA.tooLong(TooLong.SKIP).maxLength(2).batches(2, model())))
        .containsExactly(List.of("AB", "CD"));
    assertThat(read(DATA.maxLength(6).tooLong(TooLong.SKIP).batches(2, Fakes.characters())))
        .extracting(Batch::skipped).containsExactly(1, 0);
  }

  @Test
  void theyMayBeRefusedBeforeTheFirstBatch() {
    Path file = Fakes.write(dir.resolve("a.jsonl"), "{\"text\":\"AB\"}", "{\"text\":\"CD\"}", "{\"text\":\"ABCDEFG\"}");
    Batches batches = Dataset.jsonl(file).epochs(3).tooLong(TooLong.REFUSE).batches(1, model());

    Iterator<Batch> iterator = batches.iterator();
    assertThatThrownBy(iterator::next).isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("1 of 3 sequences are longer than 5 tokens, the model's context")
        .hasMessageContaining("a.jsonl:3, 7 tokens").hasMessageContaining("--too-long cut or skip");
    assertThat(rendered).as("each example once").hasValue(3);
    assertThatThrownBy(() -> batches.iterator().next()).as("again").isInstanceOf(InvalidInputException.class);
  }

  @Test
  void whatIsNotTooLongIsLookedAtOnceAndNotRefused() {
    Batches batches = Dataset.of(new Text("AB"), new Text("ABCDE")).shuffle(1).epochs(2).tooLong(TooLong.REFUSE)
        .batches(1, model());

    assertThat(read(batches)).hasSize(4);
    assertThat(read(batches)).hasSize(4);
    assertThat(rendered).hasValue(2 + 4 + 4);
  }

  @Test
  void eachEpochOfAMixIsLookedAtSinceItDrawsOthers() {
    Dataset mix = Dataset.mix(3, List.of(Dataset.of(Fakes.numbered("A", 9)), Dataset.of(new Text("ABCDEFG")).epochs(5)), 9, 1);
    boolean refused = false;
    for (int epochs = 1; !refused; epochs++) {
      Batches batches = mix.epochs(epochs).tooLong(TooLong.REFUSE).batches(1, Fakes.characters());
      Batches within = mix.epochs(epochs).maxLength(5).tooLong(TooLong.REFUSE).batches(1, Fakes.characters());
      boolean longOnes = read(batches).stream().anyMatch(b -> b.tokens() > 4);
      if (longOnes) {
        assertThatThrownBy(() -> within.iterator().next()).isInstanceOf(InvalidInputException.class);
        refused = true;
      } else {
        assertThat(read(within)).hasSameSizeAs(read(batches));
      }
    }
  }

  @Test
  void whereTheCutLeavesNothingToTrainTheSequenceIsSkipped() {
    Dataset data = Dataset.of(new Completion("ab", "cd"), new Completion("abcd", "efg"), new Completion("abcdefg", "h"));

    Batch batch = read(data.batches(3, model())).get(0);

    assertThat(Fakes.texts(List.of(batch))).containsExactly(List.of("abcd", "abcde"));
    assertThat(batch).extracting(Batch::cut, Batch::skipped).containsExactly(1, 1);
    assertThat(err.ofLengths()).last().asString().contains("2 of 3 sequences are longer than 5 tokens, the model's context")
        .contains("example 3, 8 tokens").contains("1 cut, 1 skipped, as the cut left nothing that is trained");
  }

  @Test
  void theFirstIsSaidWhenItComesAndTheNumberOnceAtTheEnd() {
    Batches batches = DATA.batches(1, model());
    Iterator<Batch> iterator = batches.iterator();

    iterator.next();
    assertThat(err.ofLengths()).singleElement().asString()
        .startsWith("example 2 has 7 tokens, longer than 5 tokens, the model's context: it is cut");
    iterator.forEachRemaining(b -> { });
    assertThat(err.ofLengths()).hasSize(2).last().asString()
        .startsWith("4 examples: 2 of 4 sequences are longer than 5 tokens, the model's context (the longest: example 2, "
            + "7 tokens): 2 cut.");
    read(batches);
    assertThat(err.ofLengths()).as("another pass").hasSize(2);
    read(DATA.tooLong(TooLong.SKIP).batches(1, model()));
    assertThat(err.ofLengths()).hasSize(4).last().asString().contains(": 2 skipped.");
  }

  @Test
  void nothingIsSaidWhereNothingIsTooLong() {
    read(Dataset.of(new Text("AB"), new Text("ABCDE")).batches(1, model()));

    assertThat(err.ofLengths()).isEmpty();
  }

  @Test
  void whatHasNothingToTrainIsSaidToo() {
    read(Dataset.of(new Text("AB"), new Text("aaa")).batches(1, model()));

    assertThat(err.ofLengths()).singleElement().asString()
        .isEqualTo("2 examples: of 2 sequences 1 skipped, as nothing in them is trained");
  }

  @ParameterizedTest
  @EnumSource(names = {"CUT", "SKIP"})
  void aRunGoesOnFromEveryPosition(TooLong tooLong) {
    List<Example> examples = new ArrayList<>();
    for (int i = 0; i < 30; i++) {
      examples.add(new Text(i % 3 == 1 ? "A" + i + "LONG" : i % 7 == 2 ? "aaaaaaaaT" : "A" + i));
    }
    Batches batches = Dataset.of(examples).shuffle(1).epochs(2).tooLong(tooLong).batches(3, model());
    List<DataPosition> positions = new ArrayList<>(List.of(batches.position()));
    List<List<String>> whole = new ArrayList<>();
    for (Batch batch : batches) {
      whole.addAll(Fakes.texts(List.of(batch)));
      positions.add(batches.position());
    }
    assertThat(whole.size()).isGreaterThan(8);
    for (int i = 0; i < positions.size(); i++) {
      assertThat(Fakes.texts(batches.from(positions.get(i)))).isEqualTo(whole.subList(i, whole.size()));
    }
  }

  @Test
  void countingReadsEpochsThatAreAlikeOnce() {
    Batches batches = DATA.shuffle(1).epochs(2000).batches(3, model());

    assertThat(batches.count()).isEqualTo(2667);
    assertThat(rendered).hasValue(4);
    Dataset part = Dataset.of(Fakes.numbered("A", 40)).split(0.5, 0.5)[0].shuffle(2).epochs(3);
    assertThat(part.batches(4, model()).count()).isEqualTo(read(part.batches(4, model())).size());
    Dataset taken = Dataset.of(new Text("AB"), new Text("aa"), new Text("CD")).shuffle(2).take(2).epochs(9);
    assertThat(taken.batches(1, model()).count()).as("each epoch takes others")
        .isEqualTo(read(taken.batches(1, model())).size());
    assertThat(DATA.epochs(5).batchesByTokens(7, model()).count())
        .isEqualTo(read(DATA.epochs(5).batchesByTokens(7, model())).size());
  }

  @Test
  void countingUpToANumberReadsNoFurther() {
    Batches batches = Dataset.of(Fakes.numbered("A", 1000)).epochs(2).batches(10, model());

    assertThat(batches.count(3)).isEqualTo(3);
    assertThat(rendered).as("one is looked ahead").hasValue(31);
    assertThat(batches.count(1_000_000)).isEqualTo(200);
    assertThat(batches.count(150)).isEqualTo(150);
    assertThat(batches.from(position(batches, 199)).count(5)).isEqualTo(1);
    assertThatThrownBy(() -> batches.count(0)).isInstanceOf(InvalidInputException.class).hasMessageContaining("most = 0");
  }

  private static DataPosition position(Batches batches, int after) {
    Iterator<Batch> iterator = batches.iterator();
    for (int i = 0; i < after; i++) {
      iterator.next();
    }
    return batches.position();
  }
}
