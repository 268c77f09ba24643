package dev.fettle.examples;

/**
 * What ranks.
 *
 * @param name as reports have it
 * @param base the model's name; empty of BM25
 * @param unit the name that its units have; empty of what is not trained
 * @param key how the name of its rankings begins, the collection's name follows
 */
record RankSystem(String name, String base, String unit, String key) {
  static final RankSystem WORDS = new RankSystem("BM25", "", "", RankSearches.WORDS);

  static RankSystem untuned(String base) {
    return new RankSystem(base, base, "", RankSearches.UNTUNED + "." + base);
  }

  static RankSystem reranked(String base) {
    return new RankSystem(base + " + reranker", base, "", RankSearches.RERANKED);
  }

  static RankSystem tuned(String base, String unit) {
    return new RankSystem(base + " + " + unit, base, unit, unit + "." + base);
  }

  boolean isTuned() {
    return !unit.isEmpty();
  }
}
