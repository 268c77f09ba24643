package dev.fettle.examples;

import org.apache.lucene.index.FieldInvertState;
import org.apache.lucene.search.CollectionStatistics;
import org.apache.lucene.search.TermStatistics;
import org.apache.lucene.search.similarities.Similarity;

/**
 * BM25 with exact document lengths: Lucene's own keeps a length in one byte, which changes rankings a little. idf is
 * ln(1 + (N - df + 0.5) / (df + 0.5)) and the weight of a word
 * (k1 + 1) tf / (tf + k1 (1 - b + b length / mean length)).
 */
final class ExactBm25 extends Similarity {
  private final double k1;
  private final double b;

  ExactBm25(double k1, double b) {
    this.k1 = k1;
    this.b = b;
  }

  @Override
  public long computeNorm(FieldInvertState state) {
    return state.getLength();
  }

  @Override
  public SimScorer scorer(float boost, CollectionStatistics collection, TermStatistics... terms) {
    double documents = collection.maxDoc();
    double meanLength = collection.sumTotalTermFreq() / documents;
    double idf = 0;
    for (TermStatistics term : terms) {
      idf += Math.log1p((documents - term.docFreq() + 0.5) / (term.docFreq() + 0.5));
    }
    double weight = boost * idf * (k1 + 1);
    return new SimScorer() {
      @Override
      public float score(float freq, long norm) {
        return (float) (weight * freq / (freq + k1 * (1 - b + b * norm / meanLength)));
      }
    };
  }
}
