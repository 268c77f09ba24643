package dev.fettle.ranking;

import dev.fettle.InvalidInputException;
import dev.fettle.internal.NoNulls;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.Random;

/**
 * How negatives are chosen for a query: among the first documents that a search finds, by words (BM25) or by the model
 * itself, those that are not relevant. Documents with a judgement of the query are left out, whatever it is, unless
 * {@link #judgedToo()} allows those of grade 0. Immutable; thread-safe if the search is.
 */
public final class HardNegatives {
  /** How far down the ranking is searched by default: 50. */
  public static final int DEPTH = 50;

  private final Retriever retriever;
  private final int count;
  private final int skip;
  private final int depth;
  private final boolean judged;
  private final OptionalLong seed;

  private HardNegatives(Retriever retriever, int count, int skip, int depth, boolean judged, OptionalLong seed) {
    this.retriever = Objects.requireNonNull(retriever, "retriever");
    this.count = count;
    this.skip = skip;
    this.depth = depth;
    this.judged = judged;
    this.seed = seed;
    if (count < 1 || skip < 0 || depth < skip + count) {
      throw new InvalidInputException("count = " + count + ", skip = " + skip + ", depth = " + depth
          + ": count must be at least 1, skip at least 0, depth at least their sum");
    }
  }

  /** The best {@code count} documents that are not judged. */
  public static HardNegatives from(Retriever retriever, int count) {
    return new HardNegatives(retriever, count, 0, Math.max(DEPTH, count), false, OptionalLong.empty());
  }

  /** Without the first {@code documents} of the ranking: they may be relevant though nobody judged them. */
  public HardNegatives skip(int documents) {
    return new HardNegatives(retriever, count, documents, depth, judged, seed);
  }

  /** From the first {@code documents} of the ranking. */
  public HardNegatives depth(int documents) {
    return new HardNegatives(retriever, count, skip, documents, judged, seed);
  }

  /** With documents of grade 0 as well. */
  public HardNegatives judgedToo() {
    return new HardNegatives(retriever, count, skip, depth, true, seed);
  }

  /** Drawn at random from what is eligible, in place of the best. */
  public HardNegatives sampled(long randomSeed) {
    return new HardNegatives(retriever, count, skip, depth, judged, OptionalLong.of(randomSeed));
  }

  /** The documents for a query with these judgements; fewer if there are not as many. */
  public List<String> mine(String query, Map<String, Integer> grades) {
    Objects.requireNonNull(query, "query");
    NoNulls.in(grades, "grades");
    List<Hit> found = NoNulls.given(retriever.search(query, depth), "the retriever", "query " + query);
    List<String> eligible = new ArrayList<>();
    for (Hit hit : found.subList(Math.min(skip, found.size()), Math.min(depth, found.size()))) {
      Integer grade = grades.get(hit.document());
      if (grade == null || judged && grade == 0) {
        eligible.add(hit.document());
      }
    }
    if (seed.isPresent()) {
      Collections.shuffle(eligible, new Random(seed.getAsLong() ^ query.hashCode()));
    }
    return eligible.subList(0, Math.min(count, eligible.size()));
  }

  @Override
  public String toString() {
    return "HardNegatives[" + count + " of ranks " + (skip + 1) + " to " + depth + (judged ? ", judged too" : "")
        + (seed.isPresent() ? ", at random" : "") + "]";
  }
}
