package dev.fettle.internal.ranking;

/**
 * How a run is evaluated; what trec_eval's options say.
 *
 * @param complete queries that are judged but not in the run count too ({@code -c})
 * @param level the lowest grade that is relevant ({@code -l})
 * @param depth how many documents of a query are looked at ({@code -M})
 * @param judgedOnly whether documents without a judgement are taken out of the ranking ({@code -J})
 * @param collection how many documents there are ({@code -N}); 0 if that is not known
 * @param nine whether version 9.0 of trec_eval is followed where 10.0 differs
 */
public record Settings(boolean complete, int level, int depth, boolean judgedOnly, long collection, boolean nine) {
  /** trec_eval's own. */
  public static final Settings DEFAULT = new Settings(false, 1, Integer.MAX_VALUE, false, 0, false);
}
