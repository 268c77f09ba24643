//JAVA 17+
//DEPS dev.fettle:fettle-examples:0.1.0-SNAPSHOT

package dev.fettle.examples;

import dev.fettle.Destination;
import dev.fettle.ranking.Metric;
import dev.fettle.ranking.RankedRun;
import dev.fettle.ranking.Ranking;
import dev.fettle.ranking.RetrievalData;
import dev.fettle.ranking.Scores;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/** Searches a collection in BEIR's layout by words and says how good the rankings are. */
public final class Bm25 {
  private static final int DEPTH = 1000;
  private static final Command COMMAND = new Command("Bm25",
      "Ranks the documents of a directory in BEIR's layout for its queries by BM25 and measures the rankings.")
      .requires(Option.DATA)
      .takes(Option.PART, "test")
      .takes(Option.K1, "0.9")
      .takes(Option.B, "0.4")
      .takes(Option.RUN)
      .takes(Option.SEED, "0");

  private Bm25() {}

  public static void main(String[] args) {
    Command.exit(run(args, Command.utf8(System.out), Command.utf8(System.err)));
  }

  static int run(String[] args, PrintStream out, PrintStream err) {
    return COMMAND.run(args, out, err, Bm25::measure);
  }

  private static void measure(Options options, PrintStream out) {
    Path directory = options.path(Option.DATA);
    RetrievalData data = RetrievalData.beir(directory, options.text(Option.PART));
    out.println(data);
    if (options.has(Option.RUN)) {
      Destination.file(options.path(Option.RUN)).close();
    }
    RankedRun run;
    try (LuceneBm25 bm25 = LuceneBm25.plain(data.corpus().values(), options.number(Option.K1),
        options.number(Option.B))) {
      run = data.run("bm25", bm25, DEPTH);
    }
    if (options.has(Option.RUN)) {
      run.writeTrec(options.path(Option.RUN));
    }
    Ranking ranking = Ranking.of(data.qrels(), run).complete();
    for (Metric metric : List.of(Metric.ndcg(10), Metric.exponentialNdcg(10), Metric.mrr(10), Metric.recall(100),
        Metric.map())) {
      Scores scores = ranking.score(metric);
      out.println(String.format(Locale.ROOT, "%-28s %.4f %s", metric, scores.mean(), scores.interval(options.seed())));
    }
  }
}
