//JAVA 17+
//DEPS dev.fettle:fettle-examples:0.1.0-SNAPSHOT

package dev.fettle.examples;

import dev.fettle.AdamW;
import dev.fettle.Batch;
import dev.fettle.Batches;
import dev.fettle.Dataset;
import dev.fettle.Destination;
import dev.fettle.Fettle;
import dev.fettle.InvalidInputException;
import dev.fettle.Loss;
import dev.fettle.LossResult;
import dev.fettle.Progress;
import dev.fettle.Schedule;
import dev.fettle.TrainOn;
import dev.fettle.Training;
import dev.fettle.Tuning;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import tools.jackson.databind.json.JsonMapper;

/** Tunes a model to the examples in a file and saves what it learnt. */
public final class Tune {
  private static final Command COMMAND = new Command("Tune",
      "Tunes a model to examples; the last line is JSON: mean losses per token of the first and the last batch,\n"
          + "  optimizer steps, tokens read, and where the adapter is (with --method full or hybrid, where the model is).\n"
          + "  Ctrl-C ends it after the step, with what was learnt saved, and says how to go on.")
      .requires(Option.MODEL, Option.DATA, Option.OUT)
      .takes(Option.METHOD, "lora")
      .takes(Option.EPOCHS, "1")
      .takes(Option.BATCH, "8")
      .takes(Option.SEED, "0")
      .takes(Option.LENGTH, "1024")
      .takes(Option.TOO_LONG, "cut")
      .takes(Option.SCHEDULE, "constant")
      .takes(Option.RANK, Option.LAST_LAYERS, Option.ADAPTER, Option.LR, Option.STEPS, Option.DTYPE, Option.QUANTISE, Option.CHAT,
          Option.REMOTE, Option.RESUME, Option.FIELDS);

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
    try (Destination result = Destination.replacing(options.path(Option.OUT));
        Destination rest = Destination.replacing(beside(options.path(Option.OUT)));
        Fettle fettle = options.fettle()) {
      Training training = options.load(fettle).tune(tuning);
      out.println(training.model());
      out.print(training.trainable().table());
      Batches batches = data.batches(options.count(Option.BATCH),
          training.renderer().trainOn(TrainOn.ALL_ASSISTANT_MESSAGES));
      int most = options.count(Option.STEPS, Integer.MAX_VALUE);
      // Only what falls with the steps needs to know how many there will be; else training begins before all is read.
      boolean falls = !options.text(Option.SCHEDULE).equals("constant");
      int total = falls ? Math.toIntExact(batches.count(most)) : options.count(Option.STEPS, 0);
      if (options.has(Option.RESUME)) {
        batches = resumed(training, batches, options.path(Option.RESUME), most);
      }
      Schedule schedule = schedule(options, total);
      Summary summary = new Summary();
      boolean stopped = false;
      try (Progress progress = Progress.of("train", total == 0 ? 0 : total - training.steps())) {
        for (Batch batch : batches) {
          LossResult loss = training.forwardBackward(batch, Loss.crossEntropy());
          training.optimStep(AdamW.learningRate(schedule.at(training.steps())));
          progress.step(loss, batch.tokens());
          summary.add(batch, loss);
          stopped = result.stopAsked() && training.steps() < most;
          if (stopped || training.steps() == most) {
            break;
          }
        }
      }
      if (options.adapters()) {
        training.saveAdapter(result.path());
      } else {
        training.saveMerged(result.path());
      }
      if (stopped) {
        training.saveState(rest.path(), batches.position());
        System.err.printf("stopped after step %d%s; what was learnt is in %s. To resume: %s%n", training.steps(),
            total == 0 ? "" : " of " + total, result.path(), options.lineWith(Option.RESUME, rest.path().toString()));
      } else if (options.has(Option.CHAT)) {
        out.println(training.sampler().chat(options.text(Option.CHAT)));
      }
      out.printf("%d sequences: %d cut at %d tokens; %d more skipped, too long or with nothing to learn%n",
          summary.sequences, summary.cut, Math.min(options.count(Option.LENGTH), training.model().contextLength()),
          summary.skipped);
      out.println(new JsonMapper().writeValueAsString(summary.json(options)));
    }
  }

  /** Where the state of a run that is stopped early is kept. */
  private static Path beside(Path result) {
    Path whole = result.toAbsolutePath().normalize();
    return whole.resolveSibling(whole.getFileName() + "-state");
  }

  /** The batches that are left after those of a saved state, which the training goes back to. */
  private static Batches resumed(Training training, Batches batches, Path state, long steps) {
    training.loadState(state);
    if (training.steps() >= steps) {
      throw new InvalidInputException(state + " is of step " + training.steps() + ", and there are only " + steps
          + " steps to make: give a higher --steps");
    }
    return batches.from(training.dataPosition().orElseThrow(() -> new InvalidInputException(state
        + " does not say how far the data were read: it is not of Tune")));
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
