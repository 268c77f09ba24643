package dev.fettle.internal.ranking;

import dev.fettle.ranking.Hit;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * One query's ranking in terms of grades: all that a measure may look at.
 *
 * @param grades of the documents in rank order; {@link #OUTSIDE} or {@link #UNKNOWN} where there is none
 * @param levels how many documents were judged with each grade from 0 on, retrieved or not
 * @param relevant how many were judged relevant
 * @param found how many of these are in the ranking
 * @param level the lowest grade that is relevant
 */
record Judged(int[] grades, int[] levels, int relevant, int found, int level) {
  /** The grade of a document that is not among the judged ones. */
  static final int OUTSIDE = -1;
  /** The grade of a document that was chosen for judging but not judged: any negative one. */
  static final int UNKNOWN = -2;

  int retrieved() {
    return grades.length;
  }

  boolean relevantAt(int index) {
    return grades[index] >= level;
  }

  /** How many of the first documents are relevant. */
  int foundIn(long first) {
    int count = 0;
    for (int i = 0; i < Math.min(first, grades.length); i++) {
      count += relevantAt(i) ? 1 : 0;
    }
    return count;
  }

  /** How many documents were judged and are not relevant. */
  int judgedIrrelevant() {
    int count = 0;
    for (int i = 0; i < Math.min(level, levels.length); i++) {
      count += levels[i];
    }
    return count;
  }

  static Judged of(List<Hit> ordered, Map<String, Integer> judgements, Settings settings) {
    List<Hit> hits = settings.nine()
        ? ordered.stream().map(Judged::inSinglePrecision).sorted(Orders.HITS).toList() : ordered;
    int count = Math.min(hits.size(), settings.depth());
    int[] grades = new int[count];
    int kept = 0;
    int found = 0;
    for (int i = 0; i < count; i++) {
      Integer grade = judgements.get(hits.get(i).document());
      int value = grade == null ? OUTSIDE : grade < 0 ? UNKNOWN : grade;
      if (value >= 0 || !settings.judgedOnly()) {
        grades[kept++] = value;
        found += value >= 0 && value >= settings.level() ? 1 : 0;
      }
    }
    return new Judged(Arrays.copyOf(grades, kept), levels(judgements), relevant(judgements, settings.level()),
        found, settings.level());
  }

  private static Hit inSinglePrecision(Hit hit) {
    return new Hit(hit.document(), (float) hit.score());
  }

  private static int[] levels(Map<String, Integer> judgements) {
    int most = judgements.values().stream().mapToInt(g -> g).max().orElse(-1);
    int[] levels = new int[Math.max(0, most + 1)];
    judgements.values().stream().filter(g -> g >= 0).forEach(g -> levels[g]++);
    return levels;
  }

  private static int relevant(Map<String, Integer> judgements, int level) {
    return (int) judgements.values().stream().filter(g -> g >= 0 && g >= level).count();
  }
}
