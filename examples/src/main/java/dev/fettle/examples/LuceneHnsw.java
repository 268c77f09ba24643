package dev.fettle.examples;

import dev.fettle.FettleException;
import dev.fettle.ranking.Hit;
import dev.fettle.ranking.VectorIndex;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.apache.lucene.document.Document;
import org.apache.lucene.document.KnnFloatVectorField;
import org.apache.lucene.document.StoredField;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.IndexWriterConfig;
import org.apache.lucene.index.StoredFields;
import org.apache.lucene.index.VectorSimilarityFunction;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.KnnFloatVectorQuery;
import org.apache.lucene.search.ScoreDoc;
import org.apache.lucene.store.ByteBuffersDirectory;

/** Approximate search among vectors with Lucene's HNSW graph, in memory. */
public final class LuceneHnsw implements AutoCloseable {
  private static final String ID = "id";
  private static final String VECTOR = "vector";

  private final DirectoryReader reader;
  private final IndexSearcher searcher;

  private LuceneHnsw(VectorIndex vectors) {
    ByteBuffersDirectory directory = new ByteBuffersDirectory();
    try {
      try (IndexWriter writer = new IndexWriter(directory, new IndexWriterConfig())) {
        for (int i = 0; i < vectors.size(); i++) {
          Document entry = new Document();
          entry.add(new StoredField(ID, vectors.ids().get(i)));
          entry.add(new KnnFloatVectorField(VECTOR, vectors.vector(i), VectorSimilarityFunction.MAXIMUM_INNER_PRODUCT));
          writer.addDocument(entry);
        }
        writer.forceMerge(1);
      }
      reader = DirectoryReader.open(directory);
      searcher = new IndexSearcher(reader);
    } catch (IOException e) {
      throw new FettleException("the vectors cannot be indexed: " + e, e);
    }
  }

  /** Builds the graph of all vectors of an index, by inner product; the index is not kept. */
  public static LuceneHnsw of(VectorIndex vectors) {
    return new LuceneHnsw(vectors);
  }

  /** Good documents for a vector, the best first; scores are Lucene's, which order as inner products do. */
  public List<Hit> search(float[] query, int count) {
    try {
      List<Hit> hits = new ArrayList<>();
      StoredFields stored = searcher.storedFields();
      for (ScoreDoc found : searcher.search(new KnnFloatVectorQuery(VECTOR, query, count), count).scoreDocs) {
        hits.add(new Hit(stored.document(found.doc).get(ID), found.score));
      }
      return hits;
    } catch (IOException e) {
      throw new FettleException("the search failed: " + e, e);
    }
  }

  /** Frees the graph. */
  @Override
  public void close() {
    try {
      reader.close();
    } catch (IOException e) {
      throw new FettleException("the index cannot be closed: " + e, e);
    }
  }
}
