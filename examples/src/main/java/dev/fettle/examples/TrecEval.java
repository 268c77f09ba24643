//JAVA 17+
//DEPS dev.fettle:fettle-examples:0.1.0-SNAPSHOT

package dev.fettle.examples;

import dev.fettle.FettleException;
import dev.fettle.ranking.Qrels;
import dev.fettle.ranking.RankedRun;
import dev.fettle.ranking.Ranking;
import java.io.PrintStream;
import java.nio.file.Path;

/** Evaluates a run by judgements, with trec_eval's arguments and lines. */
public final class TrecEval {
  private static final String USAGE = """
      usage: TrecEval [options] QRELS RUN
        Measures a run as trec_eval does, with its arguments.

        -m MEASURE
            a measure, with parameters after a full stop: map,
            ndcg_cut.10, P.5,10; or official (the default),
            all_trec, set; may be given several times
        -q  each query's values before those of all
        -n  no values of all
        -c  queries that are judged but not in the run count
            as 0
        -l N
            the lowest grade that is relevant (default 1)
        -M N
            look at the first N documents of each query
        -J  take documents without a judgement out of the
            rankings
        -N N
            documents in the collection, for utility
        --as 9|10
            the version of trec_eval to follow where they
            differ (default 10)
        --help
            prints this
      """;

  private TrecEval() {}

  public static void main(String[] args) {
    Command.exit(run(args, Command.utf8(System.out), Command.utf8(System.err)));
  }

  static int run(String[] args, PrintStream out, PrintStream err) {
    try {
      TrecEvalArguments arguments = TrecEvalArguments.parse(args);
      if (arguments.help()) {
        out.print(USAGE);
        return 0;
      }
      for (String line : ranking(arguments).trecEval(arguments.queries(), arguments.summary(), arguments.measures())) {
        out.print(line + "\n");
      }
      out.flush();
      return 0;
    } catch (UsageException e) {
      return Command.misused(e, "TrecEval", err);
    } catch (FettleException e) {
      err.println(e.getMessage());
      return Command.FAILED;
    }
  }

  private static Ranking ranking(TrecEvalArguments arguments) {
    Ranking ranking = Ranking.of(Qrels.trec(Path.of(arguments.qrels())), RankedRun.trec(Path.of(arguments.run())))
        .relevantFrom(arguments.level())
        .depth(arguments.depth())
        .collectionSize(arguments.collection());
    ranking = arguments.complete() ? ranking.complete() : ranking;
    ranking = arguments.judgedOnly() ? ranking.judgedOnly() : ranking;
    return arguments.nine() ? ranking.asTrecEval9() : ranking;
  }
}
