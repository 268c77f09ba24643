package dev.fettle.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class RankBudgetTest {
  private static final RankStage MUST = new RankStage("must", 0, List.of(), 10);
  private static final RankStage MAY = new RankStage("may", 1, List.of(), 10);
  private static final RankStage LONG = new RankStage("long", 2, List.of(), 100);
  private static final RankStage LAST = new RankStage("last", 3, List.of(), 1);
  private static final List<RankStage> ALL = List.of(LAST, LONG, MUST, MAY);

  private static RankBudget budget(double seconds) {
    RankBudget budget = new RankBudget(seconds);
    budget.done(5, 10);
    return budget;
  }

  @Test
  void whatIsLeastImportantIsLeftOutFirst() {
    assertThat(budget(1000).affordable(ALL, 0, s -> 1)).containsExactlyInAnyOrder(MUST, MAY, LONG, LAST);
    assertThat(budget(100).affordable(ALL, 30, s -> 1)).containsExactlyInAnyOrder(MUST, MAY, LAST);
    assertThat(budget(100).affordable(ALL, 70, s -> 1)).containsExactlyInAnyOrder(MUST, LAST);
  }

  @Test
  void whatIsDoneInPartNeedsLess() {
    assertThat(budget(100).affordable(ALL, 30, s -> s == LONG ? 0 : 2)).contains(LONG);
    assertThat(budget(100).affordable(ALL, 0, s -> 4)).containsExactlyInAnyOrder(MUST, LAST);
  }

  @Test
  void theMostImportantIsDoneWhateverItTakes() {
    assertThat(budget(1).affordable(ALL, 500, s -> 1)).containsExactly(MUST);
  }

  @Test
  void beforeAnythingIsDoneNothingIsKnownToBeTooMuch() {
    assertThat(new RankBudget(1).affordable(ALL, 0, s -> 1)).hasSize(4);
    assertThat(new RankBudget(1).estimate(5)).isZero();
    assertThat(budget(1).estimate(5)).isEqualTo(10);
  }
}
