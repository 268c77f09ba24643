package dev.fettle.examples;

import dev.fettle.ranking.Hit;
import dev.fettle.ranking.RankedRun;
import java.util.List;
import java.util.Map;

/**
 * What searches that nothing was trained for make of a collection: where hard negatives, and scores to learn, are from.
 *
 * @param words BM25's rankings
 * @param own the rankings of the model that is tuned
 * @param similarity the cosine of a query and a document by the model that is tuned
 * @param teacher the same by the larger model, or by this one where there is no larger one
 */
record RankUntuned(RankedRun words, RankedRun own, Similarity similarity, Similarity teacher) {
  private static final int DEPTH = 20;
  /** Moreira et al. 2024, NV-Retriever: a negative nearer than this share of the positive's score may well be relevant. */
  private static final double NEARLY_POSITIVE = 0.95;

  /** How near a document is to a query. */
  @FunctionalInterface
  interface Similarity {
    double of(String query, String document);
  }

  /** Documents high in a ranking without a judgement, which may stand for what does not answer the query. */
  List<String> negatives(RankSetting.Source source, RankCollection collection, String query, String positive) {
    Map<String, Integer> judged = collection.data().qrels().grades(query);
    double limit = source == RankSetting.Source.OWN ? NEARLY_POSITIVE * similarity.of(query, positive) : Double.MAX_VALUE;
    return (source == RankSetting.Source.OWN ? own : words).ranking(query).stream().limit(DEPTH).map(Hit::document)
        .filter(document -> !judged.containsKey(document))
        .filter(document -> source != RankSetting.Source.OWN || similarity.of(query, document) <= limit).toList();
  }
}
