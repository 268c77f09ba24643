//JAVA 17+
//DEPS dev.fettle:fettle-examples:0.1.0-SNAPSHOT

package dev.fettle.examples;

import dev.fettle.Dataset;
import dev.fettle.Fettle;
import dev.fettle.TooLong;
import dev.fettle.Training;
import dev.fettle.Tuning;
import dev.fettle.recipes.Dpo;
import dev.fettle.recipes.Kto;
import dev.fettle.recipes.Orpo;
import dev.fettle.recipes.PreferenceRecipe;
import dev.fettle.recipes.Run;
import dev.fettle.recipes.SimPo;
import java.io.PrintStream;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.BiFunction;
import tools.jackson.databind.json.JsonMapper;

/** Tunes a model to what people prefer, and saves what it learnt: the recipes {@link Dpo}, {@link Kto}, {@link Orpo}, {@link SimPo}. */
public final class Prefer {
  private static final Command COMMAND = Tuned.takes(new Command("Prefer",
      "Tunes a model to answers of which one was chosen and one rejected (rows with prompt, chosen, rejected), or each of which was "
          + "found good or bad (prompt, completion, label; --loss kto), and saves the adapter, or with --method full or hybrid the "
          + "model, in OUT; the run's files are in OUT-run beside it. The last line is JSON: loss, accuracy and margin of rewards in "
          + "the first step and over the last ones, steps, tokens read, and where the adapter is (or the model). Ctrl-C ends it "
          + "after the step, with what was learnt saved, and says how to go on.")
      .requires(Option.MODEL, Option.DATA))
      .takes(Option.LOSS, "dpo")
      .takes(Option.METHOD, "lora")
      .takes(Option.EPOCHS, "1")
      .takes(Option.BATCH, "8")
      .takes(Option.LR, "1e-5")
      .takes(Option.SEED, "0")
      .takes(Option.LENGTH, "1024")
      .takes(Option.TOO_LONG, "cut")
      .takes(Option.BETA, Option.GAMMA, Option.RANK, Option.TARGET_MODULES, Option.DROPOUT, Option.LAST_LAYERS, Option.ADAPTER,
          Option.DTYPE, Option.QUANTISE, Option.REMOTE, Option.FIELDS);

  private Prefer() {}

  public static void main(String[] args) {
    COMMAND.main(args, Prefer::tune);
  }

  static int run(String[] args, PrintStream out, PrintStream err) {
    return COMMAND.run(args, out, err, Prefer::tune);
  }

  private static void tune(Options options, PrintStream out) {
    if (options.has(Option.GAMMA) && !options.text(Option.LOSS).equals("simpo")) {
      throw new UsageException("--gamma is for --loss simpo");
    }
    Tuning tuning = options.tuning();
    Dataset data = options.examples(Option.DATA);
    try (Tuned place = Tuned.of(options); Fettle fettle = options.fettle()) {
      Training training = options.load(fettle).tune(tuning);
      out.println(training.model());
      out.print(training.trainable().table());
      Run run = run(place, options, training, data, out);
      place.save(training, run);
      out.println(run.ending());
      out.println(new JsonMapper().writeValueAsString(json(run, options)));
    }
  }

  private static Run run(Tuned place, Options options, Training training, Dataset data, PrintStream out) {
    return switch (options.text(Option.LOSS)) {
      case "kto" -> run(place, options, set(options, Option.BETA, Kto.on(training), Kto::beta), data, out);
      case "orpo" -> run(place, options, set(options, Option.BETA, Orpo.on(training), Orpo::lambda), data, out);
      case "simpo" -> run(place, options, set(options, Option.GAMMA, set(options, Option.BETA, SimPo.on(training), SimPo::beta),
          SimPo::gamma), data, out);
      default -> run(place, options, set(options, Option.BETA, Dpo.on(training), Dpo::beta), data, out);
    };
  }

  /** Sets a number of a recipe where it is given. */
  private static <R> R set(Options options, Option option, R recipe, BiFunction<R, Double, R> setter) {
    return options.has(option) ? setter.apply(recipe, options.number(option)) : recipe;
  }

  private static <R extends PreferenceRecipe<R>> Run run(Tuned place, Options options, R recipe, Dataset data, PrintStream out) {
    return place.listening(recipe, out)
        .data(data)
        .epochs(options.count(Option.EPOCHS))
        .batchSize(options.count(Option.BATCH))
        .maxLength(options.count(Option.LENGTH))
        .tooLong(TooLong.valueOf(options.text(Option.TOO_LONG).toUpperCase(Locale.ROOT)))
        .run();
  }

  private static Map<String, Object> json(Run run, Options options) {
    Map<String, Object> json = new LinkedHashMap<>();
    for (String metric : List.of("loss", "accuracy", "margin")) {
      if (run.metrics().contains(metric)) {
        json.put(metric + "_first", run.values(metric)[0]);
        json.put(metric + "_last", run.last(metric, run.lastSteps()));
      }
    }
    Tuned.finish(json, run, options);
    return json;
  }
}
