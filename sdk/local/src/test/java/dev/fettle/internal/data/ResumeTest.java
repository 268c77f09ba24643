package dev.fettle.internal.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fettle.Batch;
import dev.fettle.Batches;
import dev.fettle.DataPosition;
import dev.fettle.Dataset;
import dev.fettle.InvalidInputException;
import dev.fettle.Text;
import dev.fettle.TooLong;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ResumeTest {
  @TempDir Path dir;

  /** Lines with one to three sequences, some too long and some without a trained token. */
  private Path file(String name, int lines) {
    return Fakes.write(dir.resolve(name), IntStream.range(0, lines).mapToObj(i -> {
      String a = name.charAt(0) + "" + i;
      String text = switch (i % 5) {
        case 0 -> a;
        case 1 -> a + "|B" + i + "|none";
        case 2 -> a + "|C" + i + "LONGLONGLONG|D" + i;
        case 3 -> "none";
        default -> a + "|E" + i;
      };
      return "{\"text\":\"" + text + "\"}";
    }).toArray(String[]::new));
  }

  private Dataset mixed() {
    Dataset a = Dataset.jsonl(file("x.jsonl", 41)).shuffle(1, 10).epochs(2);
    Dataset b = Dataset.jsonl(file("y.jsonl", 23)).split(0.8, 0.2)[0].shuffle(2);
    return Dataset.mix(3, List.of(a, b), 2, 1).shuffle(4, 8).epochs(3).maxLength(8);
  }

  private static void resumesFromEveryPosition(Batches batches) {
    List<String> whole = new ArrayList<>();
    List<DataPosition> positions = new ArrayList<>(List.of(batches.position()));
    for (Batch batch : batches) {
      whole.add(describe(batch));
      positions.add(batches.position());
    }
    assertThat(whole.size()).isGreaterThan(20);
    for (int i = 0; i < positions.size(); i++) {
      DataPosition position = DataPosition.parse(positions.get(i).toString());
      Batches rest = batches.from(position);
      assertThat(rest.position()).isEqualTo(position);
      List<String> followed = new ArrayList<>();
      for (Batch batch : rest) {
        followed.add(describe(batch));
        assertThat(rest.position()).isEqualTo(positions.get(i + followed.size()));
      }
      assertThat(followed).isEqualTo(whole.subList(i, whole.size()));
    }
  }

  private static String describe(Batch batch) {
    return batch.cut() + " " + batch.skipped() + " " + batch.data().stream()
        .map(datum -> Arrays.toString(datum.inputs()) + Arrays.toString(datum.targets())
            + Arrays.toString(datum.weights())).toList();
  }

  @Test
  void fromEveryPositionOfAShuffledMixOfSeveralEpochs() {
    resumesFromEveryPosition(mixed().batches(3, Fakes.parts()));
    resumesFromEveryPosition(mixed().tooLong(TooLong.SKIP).batches(3, Fakes.parts()));
    resumesFromEveryPosition(mixed().batches(1, Fakes.parts()));
  }

  @Test
  void fromEveryPositionByTokens() {
    resumesFromEveryPosition(mixed().batchesByTokens(9, Fakes.parts()));
  }

  @Test
  void whatIsSkippedIsNotRendered() {
    AtomicInteger rendered = new AtomicInteger();
    Batches batches = Dataset.of(Fakes.numbered("N", 100)).shuffle(1).batches(5, Fakes.renderer(example -> {
      rendered.incrementAndGet();
      return Fakes.characters().render(example);
    }));
    Batches rest = batches.from(new DataPosition(19, 95, 0, batches.position().fingerprint()));
    assertThat(Fakes.texts(rest)).hasSize(1);
    assertThat(rendered).hasValue(5);
  }

  @Test
  void aPositionInOtherDataIsRefused() {
    Path file = file("x.jsonl", 9);
    Dataset data = Dataset.jsonl(file).shuffle(1).epochs(2);
    DataPosition position = data.batches(2, Fakes.parts()).position();
    assertThat(data.batches(2, Fakes.characters()).from(position).position()).isEqualTo(position);
    List<Batches> others = List.of(
        data.batches(3, Fakes.parts()),
        data.batchesByTokens(2, Fakes.parts()),
        data.maxLength(9).batches(2, Fakes.parts()),
        data.take(3).batches(2, Fakes.parts()),
        Dataset.jsonl(file).shuffle(2).epochs(2).batches(2, Fakes.parts()),
        Dataset.jsonl(file).shuffle(1, 9).epochs(2).batches(2, Fakes.parts()),
        Dataset.jsonl(file).shuffle(1).epochs(3).batches(2, Fakes.parts()),
        Dataset.jsonl(file, line -> new Text("AB")).shuffle(1).epochs(2).batches(2, Fakes.parts()),
        Dataset.jsonl(file("z.jsonl", 9)).shuffle(1).epochs(2).batches(2, Fakes.parts()),
        Dataset.jsonl(file("x.jsonl", 10)).shuffle(1).epochs(2).batches(2, Fakes.parts()));
    assertThat(others).allSatisfy(other -> assertThatThrownBy(() -> other.from(position))
        .isInstanceOf(InvalidInputException.class).hasMessageContaining("belongs to other data"));
  }

  @Test
  void theSameDataElsewhereAreTheSame() {
    Dataset here = Dataset.jsonl(file("x.jsonl", 9));
    Path there = Fakes.write(dir.resolve("sub-x.jsonl"), "");
    assertThat(there.toFile().delete() && there.toFile().mkdir()).isTrue();
    Path copy = file("x.jsonl", 9);
    assertThat(copy.toFile().renameTo(there.resolve("x.jsonl").toFile())).isTrue();
    Dataset moved = Dataset.jsonl(there.resolve("x.jsonl"));
    assertThat(moved.batches(2, Fakes.parts()).position().fingerprint()).hasSize(16);
    file("x.jsonl", 9);
    assertThat(moved.batches(2, Fakes.parts()).position()).isEqualTo(here.batches(2, Fakes.parts()).position());
  }

  @Test
  void aPositionBeyondTheDataIsRefused() {
    Batches batches = Dataset.of(Fakes.numbered("N", 9)).batches(2, Fakes.characters());
    String fingerprint = batches.position().fingerprint();
    assertThatThrownBy(() -> batches.from(new DataPosition(5, 10, 0, fingerprint)).count())
        .isInstanceOf(InvalidInputException.class).hasMessageContaining("only 9");
    assertThatThrownBy(() -> batches.from(new DataPosition(1, 2, 1, fingerprint)).count())
        .isInstanceOf(InvalidInputException.class).hasMessageContaining("within example 3");
  }

  @Test
  void aPositionIsAShortText() {
    DataPosition position = new DataPosition(120, 1920, 3, "0123456789abcdef");
    assertThat(position).hasToString("120/1920/3/0123456789abcdef");
    assertThat(DataPosition.parse("120/1920/3/0123456789abcdef")).isEqualTo(position);
    assertThat(new DataPosition(Long.MAX_VALUE, Long.MAX_VALUE, Integer.MAX_VALUE, "0123456789abcdef").toString())
        .hasSizeLessThanOrEqualTo(80);
    for (String wrong : List.of("", "1/2/3", "1/2/3/xyz", "-1/2/3/0123456789abcdef", "1/2/3/0123456789abcdef\n")) {
      assertThatThrownBy(() -> DataPosition.parse(wrong)).isInstanceOf(InvalidInputException.class)
          .hasMessageContaining("is not a data position");
    }
    assertThatThrownBy(() -> new DataPosition(-1, 0, 0, "0123456789abcdef")).isInstanceOf(InvalidInputException.class);
  }
}
