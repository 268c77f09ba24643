//JAVA 17+
//DEPS dev.fettle:fettle-examples:0.1.0-SNAPSHOT

package dev.fettle.examples;

import dev.fettle.AdamW;
import dev.fettle.Batch;
import dev.fettle.Batches;
import dev.fettle.Dataset;
import dev.fettle.Fettle;
import dev.fettle.Loss;
import dev.fettle.LossResult;
import dev.fettle.Progress;
import dev.fettle.Schedule;
import dev.fettle.TrainOn;
import dev.fettle.Training;
import dev.fettle.Tuning;
import java.io.PrintStream;
import java.util.LinkedHashMap;
import java.util.Map;
import tools.jackson.databind.json.JsonMapper;

/** Tunes a model to the examples in a file and saves what it learnt. */
public final class Tune {
  private static final Command COMMAND = new Command("Tune",
      "Tunes a model to examples; the last line is JSON: mean losses per token of the first and the last batch,\n"
          + "  optimizer steps, tokens read, and where the adapter is (with --method full or hybrid, where the model is).")
      .requires(Option.MODEL, Option.DATA, Option.OUT)
      .takes(Option.METHOD, "lora")
      .takes(Option.EPOCHS, "1")
      .takes(Option.BATCH, "8")
      .takes(Option.SEED, "0")
      .takes(Option.LENGTH, "1024")
      .takes(Option.TOO_LONG, "cut")
      .takes(Option.SCHEDULE, "constant")
      .takes(Option.RANK, Option.LAST_LAYERS, Option.ADAPTER, Option.LR, Option.STEPS, Option.DTYPE, Option.CHAT,
          Option.REMOTE);

  private Tune() {}

  public static void main(String[] args) {
    Command.exit(run(args, Command.utf8(System.out), Command.utf8(System.err)));
  }

  static int run(String[] args, PrintStream out, PrintStream err) {
    return COMMAND.run(args, out, err, Tune::tune);
  }

  private static void tune(Options options, PrintStream out) {
    Tuning tuning = options.tuning();
    Dataset data = options.data(Option.DATA).shuffle(options.seed()).epochs(options.count(Option.EPOCHS));
    try (Fettle fettle = options.fettle()) {
      Training training = options.load(fettle).tune(tuning);
      out.println(training.model());
      out.print(training.trainable().table());
      Batches batches = data.batches(options.count(Option.BATCH),
          training.renderer().trainOn(TrainOn.ALL_ASSISTANT_MESSAGES));
      int most = options.count(Option.STEPS, Integer.MAX_VALUE);
      // Only what falls with the steps needs to know how many there will be; else training begins before all is read.
      boolean falls = !options.text(Option.SCHEDULE).equals("constant");
      int total = falls ? Math.toIntExact(batches.count(most)) : options.count(Option.STEPS, 0);
      Schedule schedule = schedule(options, total);
      Summary summary = new Summary();
      try (Progress progress = Progress.of("train", total)) {
        for (Batch batch : batches) {
          LossResult loss = training.forwardBackward(batch, Loss.crossEntropy());
          training.optimStep(AdamW.learningRate(schedule.at(training.steps())));
          progress.step(loss, batch.tokens());
          summary.add(batch, loss);
          if (training.steps() == most) {
            break;
          }
        }
      }
      if (options.adapters()) {
        training.saveAdapter(options.path(Option.OUT));
      } else {
        training.saveMerged(options.path(Option.OUT));
      }
      if (options.has(Option.CHAT)) {
        out.println(training.sampler().chat(options.text(Option.CHAT)));
      }
      out.printf("%d sequences: %d cut at %d tokens; %d more skipped, too long or with nothing to learn%n",
          summary.sequences, summary.cut, Math.min(options.count(Option.LENGTH), training.model().contextLength()),
          summary.skipped);
      out.println(new JsonMapper().writeValueAsString(summary.json(options)));
    }
  }

  private static Schedule schedule(Options options, int steps) {
    return switch (options.text(Option.SCHEDULE)) {
      case "linear" -> Schedule.linear(options.learningRate(), steps);
      case "cosine" -> Schedule.cosine(options.learningRate(), steps);
      default -> Schedule.constant(options.learningRate());
    };
  }

  private static final class Summary {
    private double first;
    private double last;
    private int steps;
    private long sequences;
    private long tokens;
    private long cut;
    private long skipped;

    void add(Batch batch, LossResult loss) {
      last = loss.meanLoss();
      first = steps++ == 0 ? last : first;
      sequences += batch.size();
      tokens += batch.tokens();
      cut += batch.cut();
      skipped += batch.skipped();
    }

    Map<String, Object> json(Options options) {
      Map<String, Object> json = new LinkedHashMap<>();
      json.put("loss_first", first);
      json.put("loss_last", last);
      json.put("steps", steps);
      json.put("tokens", tokens);
      String saved = options.path(Option.OUT).toString();
      json.put("adapter", options.adapters() ? saved : null);
      if (!options.adapters()) {
        json.put("model", saved);
      }
      return json;
    }
  }
}
