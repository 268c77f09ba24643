//JAVA 17+
//DEPS dev.fettle:fettle-examples:0.1.0-SNAPSHOT

package dev.fettle.examples;

import dev.fettle.BaseModel;
import dev.fettle.Destination;
import dev.fettle.Fettle;
import dev.fettle.Full;
import dev.fettle.Lora;
import dev.fettle.Modules;
import dev.fettle.Training;
import dev.fettle.ranking.RankLoss;
import dev.fettle.ranking.RankResult;
import dev.fettle.ranking.Ranked;
import dev.fettle.ranking.RetrievalData;
import dev.fettle.ranking.Retriever;
import dev.fettle.ranking.VectorIndex;
import dev.fettle.recipes.Comparison;
import dev.fettle.recipes.ComparisonResult;
import dev.fettle.recipes.Trial;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.List;

/**
 * Tunes an embedding model to a collection's judgements in three ways and compares it with itself untuned and with
 * BM25, on queries that nothing was tuned or chosen by. {@link #MIX}, the number of steps and the learning rates of LoRA
 * and full tuning are those of seven settings that the dev queries prefer; the hybrid has the rates of both, and the
 * temperature is the loss's own.
 */
public final class Rank {
  static final RankBatches.Mix MIX = new RankBatches.Mix(16, 1, 16);
  static final double TEMPERATURE = RankLoss.DEFAULT_TEMPERATURE;
  private static final double LORA_RATE = 1e-3;
  private static final double FULL_RATE = 1e-4;
  private static final int NEGATIVES = 8;
  /** Documents of each ranking that a reranker reads. */
  private static final int RERANKED = 50;
  private static final Command COMMAND = new Command("Rank",
      "Compares BM25, an embedding model, what a reranker makes of its rankings, and the model tuned by LoRA,\n"
          + "  in full and by a hybrid, by nDCG@10 on the test queries of the Cranfield collection; --data has its "
          + "beir/ and split.json. What is finished is\n"
          + "  kept in --out and not done again. Prints the table as Markdown.")
      .requires(Option.MODEL, Option.DATA)
      .takes(Option.DOWNLOAD, "no")
      .takes(Option.OUT, "runs/rank")
      .takes(Option.STEPS, "60")
      .takes(Option.RANK, "16")
      .takes(Option.LAST_LAYERS, "2")
      .takes(Option.SEED, "0")
      .takes(Option.DTYPE, "bf16")
      .takes(Option.RERANKER);

  private final RankTask task;
  private final RankRuns runs;
  private final RankBatches data;

  private Rank(RankTask task, RankRuns runs, RankBatches data) {
    this.task = task;
    this.runs = runs;
    this.data = data;
  }

  public static void main(String[] args) {
    Command.exit(run(args, Command.utf8(System.out), Command.utf8(System.err)));
  }

  static int run(String[] args, PrintStream out, PrintStream err) {
    return COMMAND.run(args, out, err, Rank::compare);
  }

  private static void compare(Options options, PrintStream out) {
    Path directory = options.path(Option.DATA);
    if (options.text(Option.DOWNLOAD).equals("yes")) {
      CranfieldDownload.into(directory, CranfieldDownload.SOURCE);
    }
    Cranfield collection = Cranfield.read(directory);
    try (Destination results = Destination.within(options.path(Option.OUT)); Fettle fettle = Fettle.local()) {
      BaseModel model = options.load(fettle);
      RankTask task = new RankTask(collection, model.tokenizer(), model.contextLength());
      RankRuns runs = new RankRuns(task, results.path(), options.seed());
      Rank rank = new Rank(task, runs, data(task, runs, model, options.has(Option.RERANKER) ? options.reranker(fettle) : null));
      out.println(rank.data);
      ComparisonResult compared = rank.comparison(model, options).run();
      out.println(runs.markdown(compared));
    }
  }

  /**
   * Ranks by words and by the model as it is, and pairs the training queries with negatives that both find, titles with
   * texts. Where there is a reranker, it orders what the model as it is finds.
   */
  private static RankBatches data(RankTask task, RankRuns runs, BaseModel model, BaseModel reranker) {
    RetrievalData train = task.collection().part("train");
    long start = System.nanoTime();
    try (LuceneBm25 words = LuceneBm25.plain(train.corpus().values(), 1.2, 0.75)) {
      runs.rank(RankRuns.BM25, words, start);
      start = System.nanoTime();
      try (VectorIndex index = task.index(model::embed)) {
        Retriever itself = task.retriever(index, model::embed);
        runs.rank(Comparison.BASE, itself, start);
        if (reranker != null) {
          start = System.nanoTime();
          runs.rank(RankRuns.RERANKED, new Reranked(itself, reranker::score, id -> train.corpus().get(id).text(), RERANKED), start);
        }
        return new RankBatches(task.judged(train, NEGATIVES, words, itself), task.titles());
      }
    }
  }

  private Comparison comparison(BaseModel model, Options options) {
    Lora lora = Lora.rank(options.count(Option.RANK));
    Full last = Full.of(Modules.lastLayers(options.count(Option.LAST_LAYERS)));
    return Comparison.of(model)
        .method("lora", lora)
        .method("full", Full.all())
        .method("hybrid", lora.plus(last.learningRateFactor(FULL_RATE / LORA_RATE)))
        .learningRates("lora", LORA_RATE)
        .learningRates("full", FULL_RATE)
        .learningRates("hybrid", LORA_RATE)
        .train(options.count(Option.STEPS), this::train)
        .validate(training -> 1 - task.scores(task.run("dev", training::embed), "dev").mean())
        .metric("nDCG@10", true, runs::measure)
        .setting("data", data)
        .setting("batch", MIX)
        .setting("temperature", TEMPERATURE)
        .seed(options.seed())
        .directory(options.path(Option.OUT));
  }

  private void train(Trial trial) {
    Training training = trial.training();
    runs.begin(trial);
    for (List<Ranked> batch : data.of(MIX, trial.steps(), trial.seed())) {
      RankResult result = training.step(batch, RankLoss.contrastive(TEMPERATURE), trial.settings());
      trial.done(result.loss(), task.tokens(batch));
    }
  }
}
