//JAVA 17+
//DEPS dev.fettle:fettle-examples:0.1.0-SNAPSHOT

package dev.fettle.examples;

import dev.fettle.ranking.Hit;
import dev.fettle.ranking.VectorIndex;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import tools.jackson.databind.json.JsonMapper;

/**
 * Searches vectors exactly and with Lucene's HNSW graph, and says how long each takes and how much the graph finds of
 * what is best. The vectors are those of a file, or random ones.
 */
public final class VectorSearch {
  private static final double NOISE = 0.3;
  private static final int CLUSTER = 50;
  private static final Command COMMAND = new Command("VectorSearch",
      "Times exact search among vectors, and with --hnsw yes also Lucene's graph. The last line is JSON: seconds to\n"
      + "  build, milliseconds of the median query alone and in a batch, and of the graph its recall.")
      .takes(Option.VECTORS)
      .takes(Option.COUNT, "100000")
      .takes(Option.DIMENSIONS, "384")
      .takes(Option.QUERIES, "32")
      .takes(Option.TOP, "10")
      .takes(Option.HNSW, "no")
      .takes(Option.THREADS)
      .takes(Option.SEED, "0");

  private VectorSearch() {}

  public static void main(String[] args) {
    Command.exit(run(args, Command.utf8(System.out), Command.utf8(System.err)));
  }

  static int run(String[] args, PrintStream out, PrintStream err) {
    return COMMAND.run(args, out, err, VectorSearch::measure);
  }

  private static void measure(Options options, PrintStream out) {
    if (options.has(Option.THREADS)) {
      System.setProperty("fettle.threads", String.valueOf(options.value(Option.THREADS)));
    }
    SplittableRandom random = new SplittableRandom(options.seed());
    Map<String, Object> figures = new LinkedHashMap<>();
    long start = System.nanoTime();
    try (VectorIndex index = index(options)) {
      figures.put("vectors", index.size());
      figures.put("dimensions", index.dimensions());
      figures.put("build_seconds", Figures.since(start));
      out.println(index);
      List<float[]> queries = new ArrayList<>();
      for (int i = 0; i < options.count(Option.QUERIES); i++) {
        queries.add(near(index.vector(random.nextInt(index.size())), NOISE, random));
      }
      List<List<Hit>> exact = exact(index, queries, options.count(Option.TOP), figures);
      if (options.text(Option.HNSW).equals("yes")) {
        graph(index, queries, exact, figures);
      }
    }
    figures.put("peak_rss_bytes", Figures.peakResidentBytes());
    out.println(new JsonMapper().writeValueAsString(figures));
  }

  private static VectorIndex index(Options options) {
    if (options.has(Option.VECTORS)) {
      return VectorIndex.read(options.path(Option.VECTORS));
    }
    // Documents come in groups, as real ones do.
    SplittableRandom random = new SplittableRandom(options.seed() + 1);
    int dimensions = options.count(Option.DIMENSIONS);
    List<String> ids = new ArrayList<>();
    for (int i = 0; i < options.count(Option.COUNT); i++) {
      ids.add(String.valueOf(i));
    }
    float[][] centre = new float[1][];
    return VectorIndex.of(ids, (int i) -> {
      if (i % CLUSTER == 0) {
        centre[0] = near(new float[dimensions], 1, random);
      }
      return near(centre[0], NOISE, random);
    });
  }

  /** A vector of length 1 at about that distance. */
  private static float[] near(float[] centre, double noise, SplittableRandom random) {
    float[] x = new float[centre.length];
    double squares = 0;
    double scale = noise * Math.sqrt(3.0 / x.length);
    for (int d = 0; d < x.length; d++) {
      x[d] = (float) (centre[d] + scale * (2 * random.nextDouble() - 1));
      squares += (double) x[d] * x[d];
    }
    for (int d = 0; d < x.length; d++) {
      x[d] /= (float) Math.sqrt(squares);
    }
    return x;
  }

  private static List<List<Hit>> exact(VectorIndex index, List<float[]> queries, int top, Map<String, Object> figures) {
    index.search(queries.get(0), top);
    double[] seconds = new double[queries.size()];
    for (int i = 0; i < seconds.length; i++) {
      long start = System.nanoTime();
      index.search(queries.get(i), top);
      seconds[i] = Figures.since(start);
    }
    long start = System.nanoTime();
    List<List<Hit>> exact = index.search(queries, top);
    figures.put("batch_ms_per_query", 1000 * Figures.since(start) / queries.size());
    figures.put("query_ms", 1000 * Figures.median(seconds));
    return exact;
  }

  private static void graph(VectorIndex index, List<float[]> queries, List<List<Hit>> exact,
      Map<String, Object> figures) {
    long start = System.nanoTime();
    try (LuceneHnsw graph = LuceneHnsw.of(index)) {
      figures.put("hnsw_build_seconds", Figures.since(start));
      double[] seconds = new double[queries.size()];
      int found = 0;
      int wanted = 0;
      for (int i = 0; i < seconds.length; i++) {
        Set<String> best = new HashSet<>();
        exact.get(i).forEach(hit -> best.add(hit.document()));
        long begin = System.nanoTime();
        List<Hit> hits = graph.search(queries.get(i), best.size());
        seconds[i] = Figures.since(begin);
        found += (int) hits.stream().filter(hit -> best.contains(hit.document())).count();
        wanted += best.size();
      }
      figures.put("hnsw_query_ms", 1000 * Figures.median(seconds));
      figures.put("hnsw_recall", (double) found / wanted);
    }
  }
}
