package dev.fettle.ranking;

import dev.fettle.InvalidInputException;
import dev.fettle.internal.NoNulls;
import dev.fettle.internal.OneLine;
import dev.fettle.internal.ranking.Evaluation;
import dev.fettle.internal.ranking.Report;
import dev.fettle.internal.ranking.Settings;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * How good a run's rankings are by the judgements, as trec_eval 10 computes it.
 *
 * <pre>{@code
 * Ranking ranking = Ranking.of(Qrels.trec(Path.of("qrels.trec")), RankedRun.trec(Path.of("bm25.run")));
 * System.out.println(ranking.score(Metric.ndcg(10)));
 * }</pre>
 *
 * <p>What counts, always as in trec_eval:
 * <ul>
 *   <li>Ties: documents are sorted by score alone; those of equal score by identifier, descending. A rank in a file is
 *       ignored. trec_eval 9 made scores single precision first, see {@link #asTrecEval9()}.
 *   <li>Queries that are in the run but not judged are left out. Queries that are judged but not in the run are left
 *       out too, which flatters a system that finds nothing: {@link #complete()} counts them as 0.
 *   <li>Queries without a relevant document count, with 0.
 *   <li>Documents that were not judged for a query are not relevant. So are those with a negative grade, which stands
 *       for chosen but not judged; only {@code bpref}, {@code infAP}, {@code rbp_resid} and {@code unj} tell them apart
 *       from judged ones.
 *   <li>A document is relevant from grade 1 on, see {@link #relevantFrom(int)}. nDCG uses the grade itself as its gain,
 *       whatever counts as relevant; grades of 0 and below gain nothing.
 *   <li>A document may be in a ranking once: {@link RankedRun} rejects duplicates.
 * </ul>
 *
 * <p>Immutable and thread-safe.
 */
public final class Ranking {
  private final Qrels qrels;
  private final RankedRun run;
  private final Settings settings;

  private Ranking(Qrels qrels, RankedRun run, Settings settings) {
    this.qrels = Objects.requireNonNull(qrels, "qrels");
    this.run = Objects.requireNonNull(run, "run");
    this.settings = settings;
  }

  /** A run by the judgements, with trec_eval's own settings. */
  public static Ranking of(Qrels qrels, RankedRun run) {
    return new Ranking(qrels, run, Settings.DEFAULT);
  }

  /** With queries that are judged but not in the run counted as 0: trec_eval's {@code -c}. */
  public Ranking complete() {
    return with(new Settings(true, settings.level(), settings.depth(), settings.judgedOnly(), settings.collection(),
        settings.nine()));
  }

  /** With documents relevant from another grade than 1 on: trec_eval's {@code -l}. */
  public Ranking relevantFrom(int grade) {
    return with(new Settings(settings.complete(), grade, settings.depth(), settings.judgedOnly(),
        settings.collection(), settings.nine()));
  }

  /** With the first {@code count} documents of each query alone: trec_eval's {@code -M}. */
  public Ranking depth(int count) {
    if (count < 1) {
      throw new InvalidInputException("depth = " + count + ": must be at least 1");
    }
    return with(new Settings(settings.complete(), settings.level(), count, settings.judgedOnly(),
        settings.collection(), settings.nine()));
  }

  /** With all documents taken out of the rankings that were not judged for the query: trec_eval's {@code -J}. */
  public Ranking judgedOnly() {
    return with(new Settings(settings.complete(), settings.level(), settings.depth(), true, settings.collection(),
        settings.nine()));
  }

  /** With the number of documents in the collection, which {@code utility} may need: trec_eval's {@code -N}. */
  public Ranking collectionSize(long documents) {
    return with(new Settings(settings.complete(), settings.level(), settings.depth(), settings.judgedOnly(), documents,
        settings.nine()));
  }

  /**
   * As trec_eval 9.0 does it where 10.0 differs: scores are rounded to single precision before documents are sorted;
   * recall points of {@code iprec_at_recall} and {@code 11pt_avg} are rounded in another way; {@code -c} prints nothing
   * for missing queries; {@code all_trec} is without {@code rbp}, {@code rbp_resid} and {@code unj}.
   */
  public Ranking asTrecEval9() {
    return with(new Settings(settings.complete(), settings.level(), settings.depth(), settings.judgedOnly(),
        settings.collection(), true));
  }

  private Ranking with(Settings changed) {
    return new Ranking(qrels, run, changed);
  }

  /**
   * The value of a metric for each query that counts.
   *
   * @throws InvalidInputException if no query does
   */
  public Scores score(Metric metric) {
    Objects.requireNonNull(metric, "metric");
    return new Scores(metric, run.name(), metric.values(evaluation()));
  }

  /**
   * The lines that trec_eval prints.
   *
   * @param queries whether each query's lines come first ({@code -q})
   * @param summary whether the lines of all queries come at the end (not with {@code -n})
   * @param measures as {@code -m} takes them: {@code ndcg_cut.10}, {@code P.5,10}, {@code map}, {@code official},
   *     {@code all_trec}, {@code set}; none for {@code official}
   * @throws InvalidInputException if a measure is unknown or no query counts
   */
  public List<String> trecEval(boolean queries, boolean summary, String... measures) {
    return Report.lines(evaluation(), queries, summary, NoNulls.in(measures, "measures"));
  }

  private Evaluation evaluation() {
    Map<String, List<Hit>> rankings = run.rankings();
    return Evaluation.of(run.name(), rankings, qrels.grades(), settings);
  }

  @Override
  public String toString() {
    return OneLine.of("Ranking", run.name() + " by " + qrels);
  }
}
