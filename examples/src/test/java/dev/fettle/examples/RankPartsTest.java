package dev.fettle.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.fettle.DType;
import dev.fettle.Fettle;
import dev.fettle.InvalidInputException;
import dev.fettle.Tokenizer;
import dev.fettle.Tokenizers;
import dev.fettle.ranking.Interval;
import dev.fettle.ranking.Qrels;
import dev.fettle.ranking.RankedRun;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What a comparison of rankings is made of. */
class RankPartsTest {
  private static final Path ENCODERS = Path.of("..", "sdk", "local", "src", "test", "resources", "golden", "encoders");
  private static final RankCollection THINGS = new RankCollection("things", RankData.of(18), 5);

  @Test
  void everyQueryIsTestedOnceAndNeighboursAreTogether() {
    List<String> all = new ArrayList<>();
    for (int fold = 0; fold < 5; fold++) {
      List<String> tested = THINGS.fold(fold);
      List<Integer> numbers = tested.stream().map(q -> Integer.parseInt(q.substring(1))).toList();
      assertThat(numbers.get(numbers.size() - 1) - numbers.get(0)).isEqualTo(tested.size() - 1);
      assertThat(tested).hasSizeBetween(3, 4);
      all.addAll(tested);
    }
    assertThat(all).hasSize(18).doesNotHaveDuplicates();
  }

  @Test
  void settingsAreChosenWithoutTheFoldThatIsTested() {
    for (int fold = 0; fold < 5; fold++) {
      int chooser = THINGS.chooser(fold);
      assertThat(chooser).isNotEqualTo(fold);
      assertThat(THINGS.without(fold)).doesNotContainAnyElementsOf(THINGS.fold(fold)).containsAll(THINGS.fold(chooser)).hasSize(
          18 - THINGS.fold(fold).size());
      assertThat(THINGS.without(fold, chooser)).doesNotContainAnyElementsOf(THINGS.fold(fold))
          .doesNotContainAnyElementsOf(THINGS.fold(chooser));
    }
  }

  @Test
  void tooFewFoldsOrQueriesAreRefused() {
    assertThatThrownBy(() -> new RankCollection("few", RankData.of(4), 5)).isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("4 judged queries for 5 folds");
    assertThatThrownBy(() -> new RankCollection("few", RankData.of(18), 2)).hasMessageContaining("3 folds or more");
  }

  @Test
  void prefixesAreTwoWithABarBetween() {
    assertThat(RankBase.prefixes("query: |passage: ")).containsExactly("query: ", "passage: ");
    assertThat(RankBase.prefixes("|")).containsExactly("", "");
    assertThatThrownBy(() -> RankBase.prefixes("query: ")).hasMessageContaining("| between");
  }

  @Test
  void withoutPrefixesTheModelsOwnPromptsHold() {
    try (Fettle fettle = Fettle.local()) {
      RankBase own = RankBase.load(fettle, ENCODERS.resolve("qwen3-embedding").toString(), DType.F32);
      RankBase named = RankBase.load(fettle, ENCODERS.resolve("qwen3-embedding") + ":q: |d: ", DType.F32);

      assertThat(own.name()).isEqualTo("qwen3-embedding");
      assertThat(List.of(own.query(), own.document())).isEqualTo(List.of(own.model().prompts().get("query"),
          own.model().prompts().get("document"))).doesNotContain("q: ");
      assertThat(List.of(named.query(), named.document())).containsExactly("q: ", "d: ");
      assertThat(named.multiplied()).isPositive().isLessThan(named.model().parameters());
    }
  }

  @Test
  void aTextIsCutAtWholeWordsWithinTheLength() {
    Tokenizer tokenizer = Tokenizers.open(ENCODERS.resolve("mean"));
    String text = "flow of the wing ".repeat(100).strip();

    String cut = RankTexts.cut(text, tokenizer, 40);

    assertThat(text).startsWith(cut);
    assertThat(tokenizer.encode(cut).length).isLessThanOrEqualTo(38).isGreaterThan(20);
    assertThat(RankTexts.cut("the wing", tokenizer, 40)).isEqualTo("the wing");
  }

  @Test
  void aDeckDealsEachCardOnceBeforeAnyTwice() {
    Deck<Integer> deck = new Deck<>(List.of(1, 2, 3), new Random(5));
    for (int round = 0; round < 3; round++) {
      assertThat(new HashSet<>(List.of(deck.next(), deck.next(), deck.next()))).containsExactlyInAnyOrder(1, 2, 3);
    }
  }

  @Test
  void negativesAreNeverJudgedAndOwnOnesNotNearlyAsNearAsThePositive() {
    RankedRun run = RankedRun.of("run", Map.of("q0", Map.of("d0", 9, "d1", 8, "d2", 7, "d3", 6, "d6", 5)));
    Map<String, Double> cosines = Map.of("d0", 0.8, "d2", 0.77, "d3", 0.75);
    RankUntuned untuned = new RankUntuned(run, run, (query, document) -> cosines.getOrDefault(document, 0.0), (q, d) -> 0);

    // d0, d6 and d1 are judged for q0.
    assertThat(untuned.negatives(RankSetting.Source.BM25, THINGS, "q0", "d0")).containsExactly("d2", "d3");
    assertThat(untuned.negatives(RankSetting.Source.OWN, THINGS, "q0", "d0")).containsExactly("d3");
  }

  @Test
  void leversWithLargerBatchesTakeFewerSteps() {
    assertThat(RankSetting.of("batch-64").steps(16)).isEqualTo(4);
    assertThat(RankSetting.of("titles").steps(16)).isEqualTo(16);
    assertThat(RankSetting.START.steps(1)).isEqualTo(1);
    assertThat(RankSetting.ALL).extracting(RankSetting::words).doesNotHaveDuplicates();
  }

  @Test
  void theFamilyHoldsEachComparisonOnce() {
    List<RankFamily.Pair> pairs = RankFamily.of(List.of("small", "large")).pairs();

    assertThat(pairs).hasSize(16).doesNotHaveDuplicates();
    assertThat(pairs).extracting(p -> p.second().name() + " : " + p.first().name()).contains("small + lora : small",
        "small + full : large", "small + hybrid : small + lora", "small + hybrid : small + full", "large : BM25",
        "large + lora : large");
    assertThat(RankFamily.of(List.of("small")).pairs()).hasSize(10);
  }

  @Test
  void residualJudgementsLeaveOutWhatTrainingSaw() {
    Qrels qrels = Qrels.of(Map.of("a", Map.of("1", 2, "2", 1), "b", Map.of("1", 4, "3", 0)));
    Qrels rest = RankScores.residual(qrels, Set.of("1"));

    assertThat(rest.queries()).containsExactly("a");
    assertThat(rest.grades("a")).isEqualTo(Map.of("2", 1));
    assertThat(RankScores.residual(qrels, Set.of("1", "2"))).isNull();
  }

  @Test
  void onlyWhatTheCorrectedTestTellsIsCalledADifference() {
    assertThat(difference(0.05).verdict("the untuned", "LoRA", 0.04)).startsWith("LoRA is better than the untuned, told from chance")
        .contains("+0.0500 [+0.040, +0.060]", "p = 0.0400");
    assertThat(difference(-0.05).verdict("the untuned", "LoRA", 0.04)).startsWith("LoRA is worse than");
    assertThat(difference(0.05).verdict("the untuned", "LoRA", 0.05)).startsWith("LoRA is not told from the untuned");
    assertThat(RankDifference.shown(0.00001)).isEqualTo("p < 0.0001");
  }

  private static RankDifference difference(double mean) {
    return new RankDifference(6, mean, new Interval(mean - 0.01, mean + 0.01), 0.01, 0.02, new double[6]);
  }

  @Test
  void differencesArePairedByQuery() {
    RankDifference difference = RankDifference.of(Map.of("a", 0.1, "b", 0.5), Map.of("b", 0.8, "a", 0.2), 1);

    assertThat(difference.queries()).isEqualTo(2);
    assertThat(difference.mean()).isEqualTo(0.2, within(1e-12));
    assertThat(difference.p()).isEqualTo(0.5);
  }
}
