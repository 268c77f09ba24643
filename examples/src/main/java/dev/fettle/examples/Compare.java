//JAVA 17+
//DEPS dev.fettle:fettle-examples:0.1.0-SNAPSHOT

package dev.fettle.examples;

import dev.fettle.BaseModel;
import dev.fettle.Dataset;
import dev.fettle.Destination;
import dev.fettle.Fettle;
import dev.fettle.Modules;
import dev.fettle.Tuning;
import dev.fettle.internal.compare.NamedMethods;
import dev.fettle.internal.compare.Pooled;
import dev.fettle.recipes.Comparison;
import dev.fettle.recipes.ComparisonResult;
import java.io.PrintStream;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import tools.jackson.databind.json.JsonMapper;

/** Tells which way of tuning is best for a task: adapters, weights themselves, or both. */
public final class Compare {
  private static final Command COMMAND = new Command("Compare",
      "Compares ways of tuning on a task, each with a sweep over learning rates and several seeds. Prints a table;\n"
          + "  results, plots and report.md are in --out. With --folds each part of --train is tested once by runs that the\n"
          + "  others trained, and all items are judged together. Interrupted, the same command goes on. The last line is JSON.")
      .requires(Option.MODEL, Option.TRAIN, Option.RESULTS)
      .takes(Option.METHODS, "base,lora,lora-attention,lora-mlp,full,hybrid")
      .takes(Option.RANKS, "16")
      .takes(Option.METRIC, "nll")
      .takes(Option.SEEDS, "3")
      .takes(Option.EPOCHS, "1")
      .takes(Option.BATCH, "8")
      .takes(Option.SEED, "0")
      .takes(Option.LENGTH, "1024")
      .takes(Option.TOO_LONG, "cut")
      .takes(Option.LAST_LAYERS, "2")
      .takes(Option.TEST, Option.FOLDS, Option.SECONDS, Option.VALIDATION, Option.OUTSIDE, Option.STEPS, Option.RATES, Option.DTYPE,
          Option.QUANTISE, Option.ALLOW_OVERLAP, Option.REMOTE, Option.FIELDS);

  private Compare() {}

  public static void main(String[] args) {
    Command.exit(run(args, Command.utf8(System.out), Command.utf8(System.err)));
  }

  static int run(String[] args, PrintStream out, PrintStream err) {
    return COMMAND.run(args, out, err, Compare::compare);
  }

  private static void compare(Options options, PrintStream out) {
    if (options.text(Option.METRIC).equals("ndcg")) {
      throw new UsageException("--metric ndcg is of rankings, which Rank compares: see Rank --help");
    }
    options.either(Option.TEST, Option.FOLDS);
    if (options.has(Option.SECONDS) && options.has(Option.STEPS)) {
      throw new UsageException("--seconds and --steps exclude each other");
    }
    Map<String, double[]> rates = rates(options);
    try (Destination results = Destination.within(options.path(Option.RESULTS)); Fettle fettle = options.fettle()) {
      BaseModel model = options.load(fettle);
      if (options.has(Option.FOLDS) || options.has(Option.SECONDS)) {
        Map<String, Tuning> methods = NamedMethods.of(Arrays.asList(options.text(Option.METHODS).split(",")), ranks(options),
            List.of(Modules.lastLayers(options.count(Option.LAST_LAYERS)), Modules.lmHead()));
        requireKnown(rates.keySet(), methods.keySet());
        Pooled pooled = new CompareParts(model, options, methods, results.path()).run(
            (train, test) -> comparison(options, model, train, test), method -> rates.getOrDefault(method, new double[0]));
        out.println(pooled.markdown());
        out.println(json(options, pooled.rows()));
        return;
      }
      Comparison comparison = comparison(options, model, options.data(Option.TRAIN), options.data(Option.TEST))
          .methods(Arrays.asList(options.text(Option.METHODS).split(",")), ranks(options),
              Modules.lastLayers(options.count(Option.LAST_LAYERS)), Modules.lmHead())
          .directory(results.path());
      rates.forEach(comparison::learningRates);
      ComparisonResult compared = comparison.run();
      out.println(compared.markdown());
      out.println(json(options, compared.rows()));
    }
  }

  private static void requireKnown(Set<String> rates, Set<String> methods) {
    rates.stream().filter(name -> !methods.contains(name)).findFirst().ifPresent(name -> {
      throw new UsageException("--rates has " + name + ", which is not trained here: compared are " + methods);
    });
  }

  /** All but methods and directory. */
  private static Comparison comparison(Options options, BaseModel model, Dataset train, Dataset test) {
    Comparison comparison = Comparison.of(model)
        .data(train)
        .test(test)
        .seeds(options.count(Option.SEEDS))
        .seed(options.seed())
        .epochs(options.count(Option.EPOCHS))
        .batchSize(options.count(Option.BATCH));
    if (options.has(Option.VALIDATION)) {
      comparison.validation(options.data(Option.VALIDATION));
    }
    if (options.has(Option.OUTSIDE)) {
      comparison.outside(options.data(Option.OUTSIDE));
    }
    if (options.has(Option.STEPS)) {
      comparison.steps(options.count(Option.STEPS));
    }
    if (options.text(Option.METRIC).equals("exact")) {
      comparison.exactMatch();
    }
    return options.has(Option.ALLOW_OVERLAP) ? comparison.allowOverlap() : comparison;
  }

  @SuppressWarnings("unchecked")
  private static List<Integer> ranks(Options options) {
    return (List<Integer>) options.value(Option.RANKS);
  }

  /** What {@code --rates lora=1e-3:3e-3,full=1e-4} says. */
  private static Map<String, double[]> rates(Options options) {
    Map<String, double[]> rates = new LinkedHashMap<>();
    if (options.has(Option.RATES)) {
      for (String part : options.text(Option.RATES).split(",")) {
        String[] method = part.split("=", 2);
        try {
          rates.put(method[0].strip(), Arrays.stream(method[1].split(":")).mapToDouble(Double::parseDouble).toArray());
        } catch (ArrayIndexOutOfBoundsException | NumberFormatException e) {
          throw new UsageException("--rates cannot have \"" + part + "\": give a method, = and numbers with : between");
        }
      }
    }
    return rates;
  }

  private static String json(Options options, List<ComparisonResult.Row> rows) {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("out", options.path(Option.RESULTS).toString());
    json.put("metric", options.text(Option.METRIC).equals("exact") ? "exact match" : "NLL");
    rows.forEach(row -> json.put(row.method(), row.meanQuality()));
    return new JsonMapper().writeValueAsString(json);
  }
}
