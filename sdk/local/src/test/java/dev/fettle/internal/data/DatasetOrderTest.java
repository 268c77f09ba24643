package dev.fettle.internal.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.fettle.Dataset;
import dev.fettle.InvalidInputException;
import dev.fettle.Text;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DatasetOrderTest {
  @TempDir Path dir;

  private static Dataset numbers(int count) {
    return Dataset.of(Fakes.numbered("", count));
  }

  @Test
  void epochsAreInOrderWithoutShuffle() {
    assertThat(Fakes.texts(numbers(3).epochs(2))).containsExactly("0", "1", "2", "0", "1", "2");
  }

  @Test
  void shuffleIsTheSameOnEveryMachine() {
    assertThat(Fakes.texts(numbers(10).shuffle(7))).containsExactly("7", "0", "2", "5", "9", "3", "1", "6", "4", "8");
    assertThat(Fakes.texts(numbers(10).shuffle(7, 4)))
        .containsExactly("3", "0", "1", "2", "5", "6", "7", "8", "9", "4");
  }

  @Test
  void shuffleKeepsEveryExampleAndDiffersBySeedAndEpoch() {
    List<String> plain = Fakes.texts(numbers(100));
    List<String> two = Fakes.texts(numbers(100).shuffle(7).epochs(2));
    assertThat(two.subList(0, 100)).containsExactlyInAnyOrderElementsOf(plain).isNotEqualTo(plain)
        .isEqualTo(Fakes.texts(numbers(100).shuffle(7))).isNotEqualTo(Fakes.texts(numbers(100).shuffle(8)));
    assertThat(two.subList(100, 200)).containsExactlyInAnyOrderElementsOf(plain).isNotEqualTo(two.subList(0, 100));
    assertThat(Fakes.texts(numbers(100).shuffle(7, 10))).containsExactlyInAnyOrderElementsOf(plain)
        .isNotEqualTo(plain);
  }

  @Test
  void everyOrderOfThreeIsEquallyLikely() {
    var counts = new HashMap<List<String>, Integer>();
    for (int seed = 0; seed < 6000; seed++) {
      counts.merge(Fakes.texts(numbers(3).shuffle(seed)), 1, Integer::sum);
    }
    assertThat(counts).hasSize(6);
    // Five standard deviations of a count of 1,000 are 144.
    assertThat(counts.values()).allSatisfy(count -> assertThat(count).isCloseTo(1000, within(144)));
  }

  @Test
  void aSmallBufferMovesNothingForwardByMoreThanItsSize() {
    List<String> order = Fakes.texts(numbers(1000).shuffle(7, 50));
    for (int place = 0; place < order.size(); place++) {
      assertThat(Integer.parseInt(order.get(place))).isLessThan(place + 50);
    }
  }

  @Test
  void splitIsDisjointCompleteStableAndInProportion() {
    Dataset data = numbers(10_000);
    Dataset[] parts = data.split(0.7, 0.2, 0.1);
    Set<String> union = new HashSet<>();
    int[] expected = {7000, 2000, 1000};
    for (int i = 0; i < 3; i++) {
      List<String> part = Fakes.texts(parts[i]);
      assertThat(part).hasSizeBetween(expected[i] - 230, expected[i] + 230);
      assertThat(union).doesNotContainAnyElementsOf(part);
      union.addAll(part);
      assertThat(Fakes.texts(data.shuffle(3).split(0.7, 0.2, 0.1)[i])).containsExactlyInAnyOrderElementsOf(part);
    }
    assertThat(union).hasSize(10_000);
    assertThat(Fakes.texts(parts[2]).subList(0, 5)).as("on every machine").containsExactly("3", "10", "11", "14", "16");
  }

  @Test
  void splitBringsEqualExamplesTogetherFromMemoryAndFile() {
    Path file = Fakes.write(dir.resolve("a.jsonl"), "{\"text\":\"1\"}", "{ \"text\" : \"1\" }", "{\"text\":\"2\"}",
        "{\"text\":\"3\"}", "{\"text\":\"4\"}");
    List<String> fromFile = Fakes.texts(Dataset.jsonl(file).split(0.5, 0.5)[0]);
    Dataset memory = Dataset.of(new Text("1"), new Text("1"), new Text("2"), new Text("3"), new Text("4"));
    assertThat(Fakes.texts(memory.split(0.5, 0.5)[0])).isEqualTo(fromFile).isNotEmpty();
    assertThat(fromFile.stream().filter("1"::equals).count()).isIn(0L, 2L);
  }

  @Test
  void mixDrawsByWeightUntilOneEnds() {
    Dataset a = Dataset.of(Fakes.numbered("a", 3000));
    Dataset b = Dataset.of(Fakes.numbered("b", 9000));
    List<String> mixed = Fakes.texts(Dataset.mix(7, List.of(a, b), 3, 1));
    List<String> fromA = mixed.stream().filter(text -> text.startsWith("a")).toList();
    List<String> fromB = mixed.stream().filter(text -> text.startsWith("b")).toList();
    assertThat(fromA).isEqualTo(Fakes.texts(a));
    assertThat(fromB).isEqualTo(Fakes.texts(b).subList(0, fromB.size()));
    assertThat((double) fromB.size()).isCloseTo(1000, within(180.0));
    assertThat(Fakes.texts(Dataset.mix(7, List.of(a, b), 3, 1))).isEqualTo(mixed);
    assertThat(Fakes.texts(Dataset.mix(8, List.of(a, b), 3, 1))).isNotEqualTo(mixed);
  }

  @Test
  void aSmallSourceLastsLongerByEpochs() {
    Dataset small = Dataset.of(Fakes.numbered("a", 10)).shuffle(1).epochs(100);
    Dataset large = Dataset.of(Fakes.numbered("b", 500));
    List<String> mixed = new ArrayList<>(Fakes.texts(Dataset.mix(7, List.of(small, large), 0.5, 0.5)));
    assertThat(mixed).containsAll(Fakes.texts(large));
    assertThat(mixed.size()).isBetween(850, 1150);
  }

  @Test
  void takeIsTheFirst() {
    assertThat(Fakes.texts(numbers(5).take(2))).containsExactly("0", "1");
    assertThat(Fakes.texts(numbers(2).take(5).epochs(2))).containsExactly("0", "1", "0", "1");
  }

  @Test
  void wrongArgumentsAreNamed() {
    Dataset data = numbers(3);
    refused("epochs = 0", () -> data.epochs(0));
    refused("buffer = 0", () -> data.shuffle(1, 0));
    refused("take = 0", () -> data.take(0));
    refused("add up to 0.9", () -> data.split(0.5, 0.4));
    refused("-0.5", () -> data.split(1.5, -0.5));
    refused("NaN", () -> data.split(Double.NaN, 1));
    refused("shares []", data::split);
    refused("maxLength = 1", () -> data.maxLength(1));
    refused("batch size = 0", () -> data.batches(0, Fakes.characters()));
    refused("token budget = 0", () -> data.batchesByTokens(0, Fakes.characters()));
    refused("no example", () -> Dataset.of(List.of()));
    refused("no dataset", () -> Dataset.mix(1, List.of()));
    refused("1 datasets but 2 weights", () -> Dataset.mix(1, List.of(data), 1, 2));
    refused("weights[0] = 0.0", () -> Dataset.mix(1, List.of(data), 0));
    refused("set maxLength on the mix", () -> Dataset.mix(1, List.of(data.maxLength(9)), 1));
    assertThatThrownBy(() -> data.batches(1, null)).isInstanceOf(NullPointerException.class).hasMessage("renderer");
  }

  private static void refused(String message, ThrowingCallable call) {
    assertThatThrownBy(call).isInstanceOf(InvalidInputException.class).hasMessageContaining(message);
  }

  @Test
  void toStringIsOneShortLine() {
    Path file = Fakes.write(dir.resolve("train.jsonl"), "{\"text\":\"1\"}");
    Dataset data = Dataset.jsonl(file).shuffle(7).epochs(2);
    assertThat(data).hasToString("Dataset[train.jsonl, shuffled by 7, 2 epochs]");
    assertThat(data.batches(16, Fakes.characters()))
        .hasToString("Batches[train.jsonl, shuffled by 7, 2 epochs, batches of 16]");
    Path odd = Fakes.write(dir.resolve("a<b>\n" + "x".repeat(100) + ".jsonl"), "{\"text\":\"1\"}");
    assertThat(Dataset.jsonl(odd, file).split(0.9, 0.1)[1].maxLength(7).toString()).hasSize(80)
        .doesNotContain("<", ">", "\n").contains("part 90 to 100 %");
    assertThat(Dataset.mix(7, List.of(data, data, data, data), 1, 1, 1, 1).toString()).hasSize(80);
  }
}
