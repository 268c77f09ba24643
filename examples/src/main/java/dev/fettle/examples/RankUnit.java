package dev.fettle.examples;

/**
 * One training and what it is judged by.
 *
 * @param system the method's name, such as {@code lora}, with the number of training queries where it is limited, or a
 *     lever's
 * @param base the model's name
 * @param method {@code lora}, {@code full} or {@code hybrid}
 * @param collection the collection's name
 * @param fold the one whose queries it is not trained on and is judged by
 * @param seed counted from 1
 * @param queries how many training queries it has at most
 * @param lever whether a lever is tried: then it is judged within the training folds
 */
record RankUnit(String system, String base, String method, String collection, int fold, int seed, int queries, boolean lever) {
  static final int ALL = Integer.MAX_VALUE;

  static RankUnit lever(RankSetting setting, String base, String collection, int fold) {
    return new RankUnit(setting.name(), base, "lora", collection, fold, 1, ALL, true);
  }

  /** Names its line among the results, and its file. */
  String key() {
    return String.join(".", (lever ? "lever-" : "") + system, base, collection, "fold" + fold, "seed" + seed);
  }

  @Override
  public String toString() {
    return system + " of " + base + ", " + collection + ", fold " + (fold + 1) + ", seed " + seed;
  }
}
