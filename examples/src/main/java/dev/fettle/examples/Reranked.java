package dev.fettle.examples;

import dev.fettle.ranking.Hit;
import dev.fettle.ranking.Retriever;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.Function;

/**
 * A search whose best documents are put into another order by a model that reads each together with the query; those below
 * them follow as they were.
 *
 * @param first what finds the documents
 * @param scorer what scores texts for a query
 * @param texts the text of a document
 * @param depth how many are read
 */
record Reranked(Retriever first, Scorer scorer, Function<String, String> texts, int depth) implements Retriever {
  /** Scores texts for a query, such as {@code model::score}. */
  @FunctionalInterface
  interface Scorer {
    float[] score(String query, List<String> texts);
  }

  @Override
  public List<Hit> search(String query, int count) {
    List<Hit> found = first.search(query, Math.max(count, depth));
    List<Hit> read = found.subList(0, Math.min(depth, found.size()));
    float[] scores = scorer.score(query, read.stream().map(hit -> texts.apply(hit.document())).toList());
    List<Hit> out = new ArrayList<>();
    for (int i = 0; i < read.size(); i++) {
      out.add(new Hit(read.get(i).document(), scores[i]));
    }
    out.sort(Comparator.comparingDouble(Hit::score).reversed());
    double lowest = out.isEmpty() ? 0 : out.get(out.size() - 1).score();
    for (int i = read.size(); i < found.size(); i++) {
      out.add(new Hit(found.get(i).document(), lowest - (i - read.size() + 1)));
    }
    return out.subList(0, Math.min(count, out.size()));
  }
}
