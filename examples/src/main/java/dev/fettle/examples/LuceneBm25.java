package dev.fettle.examples;

import dev.fettle.FettleException;
import dev.fettle.ranking.Document;
import dev.fettle.ranking.Hit;
import dev.fettle.ranking.Retriever;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.analysis.LowerCaseFilter;
import org.apache.lucene.analysis.TokenStream;
import org.apache.lucene.analysis.Tokenizer;
import org.apache.lucene.analysis.en.EnglishAnalyzer;
import org.apache.lucene.analysis.tokenattributes.CharTermAttribute;
import org.apache.lucene.analysis.util.CharTokenizer;
import org.apache.lucene.document.Field;
import org.apache.lucene.document.StoredField;
import org.apache.lucene.document.TextField;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.IndexWriterConfig;
import org.apache.lucene.index.StoredFields;
import org.apache.lucene.index.Term;
import org.apache.lucene.search.BooleanClause;
import org.apache.lucene.search.BooleanQuery;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.ScoreDoc;
import org.apache.lucene.search.TermQuery;
import org.apache.lucene.search.similarities.Similarity;
import org.apache.lucene.store.ByteBuffersDirectory;

/** Search by words with Lucene, in memory: the baseline of every retrieval model, and a source of hard negatives. */
public final class LuceneBm25 implements Retriever, AutoCloseable {
  private static final String ID = "id";
  private static final String TEXT = "text";

  private final Analyzer analyzer;
  private final DirectoryReader reader;
  private final IndexSearcher searcher;

  private LuceneBm25(Iterable<Document> documents, Analyzer analyzer, Similarity similarity) {
    this.analyzer = analyzer;
    ByteBuffersDirectory directory = new ByteBuffersDirectory();
    try {
      IndexWriterConfig config = new IndexWriterConfig(analyzer).setSimilarity(similarity);
      try (IndexWriter writer = new IndexWriter(directory, config)) {
        for (Document document : documents) {
          org.apache.lucene.document.Document entry = new org.apache.lucene.document.Document();
          entry.add(new StoredField(ID, document.id()));
          entry.add(new TextField(TEXT, document.whole(), Field.Store.NO));
          writer.addDocument(entry);
        }
      }
      reader = DirectoryReader.open(directory);
      searcher = new IndexSearcher(reader);
      searcher.setSimilarity(similarity);
    } catch (IOException e) {
      throw new FettleException("the documents cannot be indexed: " + e, e);
    }
  }

  /** Titles and texts as words of letters and digits in lower case: no stop words, no stems. */
  public static LuceneBm25 plain(Iterable<Document> documents, double k1, double b) {
    return new LuceneBm25(documents, new Plain(), new ExactBm25(k1, b));
  }

  /** Titles and texts as stems of English words without the commonest ones; k1 1.2, b 0.75. */
  public static LuceneBm25 english(Iterable<Document> documents) {
    return new LuceneBm25(documents, new EnglishAnalyzer(), new ExactBm25(1.2, 0.75));
  }

  @Override
  public List<Hit> search(String query, int count) {
    try {
      BooleanQuery.Builder words = new BooleanQuery.Builder();
      // A query may be a whole document.
      IndexSearcher.setMaxClauseCount(Integer.MAX_VALUE);
      try (TokenStream tokens = analyzer.tokenStream(TEXT, query)) {
        CharTermAttribute word = tokens.addAttribute(CharTermAttribute.class);
        tokens.reset();
        while (tokens.incrementToken()) {
          words.add(new TermQuery(new Term(TEXT, word.toString())), BooleanClause.Occur.SHOULD);
        }
        tokens.end();
      }
      List<Hit> hits = new ArrayList<>();
      StoredFields stored = searcher.storedFields();
      for (ScoreDoc found : searcher.search(words.build(), count).scoreDocs) {
        hits.add(new Hit(stored.document(found.doc).get(ID), found.score));
      }
      return hits;
    } catch (IOException e) {
      throw new FettleException("the search failed: " + e, e);
    }
  }

  /** Frees the index. */
  @Override
  public void close() {
    try {
      reader.close();
      analyzer.close();
    } catch (IOException e) {
      throw new FettleException("the index cannot be closed: " + e, e);
    }
  }

  private static final class Plain extends Analyzer {
    @Override
    protected TokenStreamComponents createComponents(String field) {
      Tokenizer words = CharTokenizer.fromTokenCharPredicate(c -> c < 128 && Character.isLetterOrDigit(c));
      return new TokenStreamComponents(words, new LowerCaseFilter(words));
    }
  }
}
