package dev.fettle.ranking;

import java.util.List;

/** Anything that finds documents for a query: an index of words, of vectors, a reranker. */
@FunctionalInterface
public interface Retriever {
  /**
   * The best documents for a query, each at most once.
   *
   * @param query its text
   * @param count how many are wanted; fewer if there are not as many
   */
  List<Hit> search(String query, int count);
}
