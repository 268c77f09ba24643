//JAVA 17+
//DEPS dev.fettle:fettle-examples:0.1.0-SNAPSHOT

package dev.fettle.examples;

import dev.fettle.Dataset;
import dev.fettle.Fettle;
import dev.fettle.Schedule;
import dev.fettle.Training;
import dev.fettle.Tuning;
import dev.fettle.recipes.Run;
import dev.fettle.recipes.Sft;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import tools.jackson.databind.json.JsonMapper;

/** Tunes a model to the examples in a file and saves what it learnt: the recipe {@link Sft} with options. */
public final class Tune {
  private static final Command COMMAND = Tuned.takes(new Command("Tune",
      "Tunes a model to examples, and saves the adapter, or with --method full or hybrid the model, in OUT; the run's figures, "
          + "settings and page are in OUT-run beside it. The last line is JSON: mean losses per token, of the first batch and of "
          + "the last steps, validation_loss where there is --validation and, if the run has ended, best_step, optimizer steps, "
          + "tokens read, and where the adapter is (or the model). Ctrl-C ends it after the step, with what was learnt saved, and "
          + "says how to go on.")
      .requires(Option.MODEL, Option.DATA))
      .takes(Option.METHOD, "lora")
      .takes(Option.EPOCHS, "1")
      .takes(Option.BATCH, "8")
      .takes(Option.GRADIENT_ACCUMULATION, "1")
      .takes(Option.SEED, "0")
      .takes(Option.LENGTH, "1024")
      .takes(Option.TOO_LONG, "cut")
      .takes(Option.SCHEDULE, "constant")
      .takes(Option.WARMUP, "0")
      .takes(Option.PATIENCE, String.valueOf(Sft.DEFAULT_PATIENCE))
      .takes(Option.REPORT, "no")
      .takes(Option.RANK, Option.TARGET_MODULES, Option.DROPOUT, Option.LAST_LAYERS, Option.ADAPTER, Option.LR, Option.STEPS,
          Option.DTYPE, Option.QUANTISE, Option.CHAT, Option.REMOTE, Option.FIELDS, Option.HELD_OUT, Option.EVALUATE_EVERY);

  private Tune() {}

  public static void main(String[] args) {
    COMMAND.main(args, Tune::tune);
  }

  static int run(String[] args, PrintStream out, PrintStream err) {
    return COMMAND.run(args, out, err, Tune::tune);
  }

  private static void tune(Options options, PrintStream out) {
    Tuning tuning = options.tuning();
    Dataset data = options.data(Option.DATA);
    try (Tuned place = Tuned.of(options); Fettle fettle = options.fettle()) {
      Training training = options.load(fettle).tune(tuning);
      out.println(training.model());
      out.print(training.trainable().table());
      Run run = place.listening(sft(options, training, data), out).run();
      if (place.save(training, run) && options.has(Option.CHAT)) {
        out.println(training.sampler().chat(options.text(Option.CHAT)));
      }
      out.printf("%.0f sequences: %.0f cut at %d tokens; %.0f more skipped, too long or with nothing to learn%n",
          sum(run, "sequences"), sum(run, "cut"), Math.min(options.count(Option.LENGTH), training.model().contextLength()),
          sum(run, "left_out"));
      out.println(summary(run));
      out.println(new JsonMapper().writeValueAsString(json(run, options)));
    }
  }

  private static Sft sft(Options options, Training training, Dataset data) {
    Sft sft = Sft.on(training)
        .epochs(options.count(Option.EPOCHS))
        .batchSize(options.count(Option.BATCH))
        .gradientAccumulation(options.count(Option.GRADIENT_ACCUMULATION))
        .patience(options.count(Option.PATIENCE))
        .schedule(steps -> schedule(options, steps))
        .samples(options.isYes(Option.REPORT) ? Sft.DEFAULT_SAMPLES : 0);
    if (options.has(Option.STEPS)) {
      sft.steps(options.count(Option.STEPS));
    }
    if (options.has(Option.EVALUATE_EVERY)) {
      sft.validateEvery(options.count(Option.EVALUATE_EVERY));
    }
    if (options.value(Option.HELD_OUT) instanceof Double share) {
      Dataset[] parts = data.split(1 - share, share);
      return sft.data(parts[0]).validate(parts[1]);
    }
    return options.value(Option.HELD_OUT) instanceof Path ? sft.data(data).validate(options.data(Option.HELD_OUT)) : sft.data(data);
  }

  private static Schedule schedule(Options options, int steps) {
    double rate = options.learningRate();
    Schedule schedule = switch (options.text(Option.SCHEDULE)) {
      case "linear" -> Schedule.linear(rate, steps);
      case "cosine" -> Schedule.cosine(rate, steps);
      default -> Schedule.constant(rate);
    };
    Object warmup = options.value(Option.WARMUP);
    return schedule.warmup(warmup instanceof Double share ? (int) Math.ceil(share * steps) : (int) warmup);
  }

  private static double sum(Run run, String metric) {
    return run.steps().stream().mapToDouble(step -> step.value(metric)).filter(Double::isFinite).sum();
  }

  /** What the losses of the last line are. */
  private static String summary(Run run) {
    String text = String.format(Locale.ROOT, "%s; loss %.4f over the last %d", run.ending(), run.finalLoss(), run.lastSteps());
    return Double.isNaN(run.validationLoss()) ? text : String.format(Locale.ROOT, "%s, validation %.4f", text, run.validationLoss())
        + (run.best() > 0 ? " after step " + run.best() + ", whose weights are kept" : "");
  }

  private static Map<String, Object> json(Run run, Options options) {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("loss_first", run.values("loss")[0]);
    json.put("loss_last", run.finalLoss());
    if (!Double.isNaN(run.validationLoss())) {
      json.put("validation_loss", run.validationLoss());
      if (run.best() > 0) {
        json.put("best_step", run.best());
      }
    }
    Tuned.finish(json, run, options);
    return json;
  }
}
