//JAVA 17+
//DEPS dev.fettle:fettle-examples:0.1.0-SNAPSHOT

package dev.fettle.examples;

import dev.fettle.Destination;
import dev.fettle.Fettle;
import dev.fettle.InvalidInputException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Tells whether tuning lifts an embedding model above a larger one that is not tuned, by cross-validation over the queries
 * of one or several collections. What is compared, and how it is tested, is fixed before anything runs: {@link RankFamily}.
 */
public final class Rank {
  private static final Command COMMAND = new Command("Rank",
      "Compares BM25, embedding models as they are, and the first model tuned by LoRA, in full and by a hybrid, by\n"
          + "  cross-validation over the queries of collections in BEIR's layout: every query is a test query once, settings are\n"
          + "  chosen within the training folds. With a second --base, the larger one, that too. What is done is kept in --out\n"
          + "  and not done again. Prints the report as Markdown; it is in --out with pictures.")
      .requires(Option.BASE, Option.COLLECTION)
      .takes(Option.DOWNLOAD, "no")
      .takes(Option.RESULTS, "runs/rank")
      .takes(Option.FOLDS, "5")
      .takes(Option.SEEDS, "3")
      .takes(Option.LEVERS, RankSetting.names())
      .takes(Option.STEPS, "16")
      .takes(Option.RANK, "16")
      .takes(Option.LAST_LAYERS, "2")
      .takes(Option.LENGTH, "128")
      .takes(Option.TRAIN_LENGTH, "64")
      .takes(Option.BUDGET, "90")
      .takes(Option.SEED, "0")
      .takes(Option.DTYPE, "bf16")
      .takes(Option.RERANKER);

  private Rank() {}

  public static void main(String[] args) {
    Command.exit(run(args, Command.utf8(System.out), Command.utf8(System.err)));
  }

  static int run(String[] args, PrintStream out, PrintStream err) {
    return COMMAND.run(args, out, err, Rank::compare);
  }

  private static void compare(Options options, PrintStream out) {
    if (options.text(Option.DOWNLOAD).equals("yes")) {
      CranfieldDownload.into(Path.of(options.texts(Option.COLLECTION).get(0)), CranfieldDownload.SOURCE);
    }
    List<RankCollection> collections = options.texts(Option.COLLECTION).stream()
        .map(directory -> RankCollection.read(Path.of(directory), options.count(Option.FOLDS))).toList();
    requireDistinct(Option.COLLECTION, collections.stream().map(RankCollection::name).toList());
    try (Destination results = Destination.within(options.path(Option.RESULTS)); Fettle fettle = Fettle.local()) {
      List<RankBase> bases = options.texts(Option.BASE).stream().map(base -> RankBase.load(fettle, base, options.dtype())).toList();
      requireDistinct(Option.BASE, bases.stream().map(RankBase::name).toList());
      RankStore store = RankStore.open(results.path(), settings(options, collections, bases));
      RankTrainer trainer = new RankTrainer(store, options.count(Option.STEPS), options.count(Option.RANK),
          options.count(Option.LAST_LAYERS), options.seed());
      RankStudy study = new RankStudy(collections, bases, levers(options), trainer, options.count(Option.LENGTH),
          options.count(Option.TRAIN_LENGTH), options.count(Option.SEEDS), options.count(Option.BUDGET));
      study.run(options.has(Option.RERANKER) ? options.reranker(fettle) : null);
      out.println(new RankReport(study, options.seed()).write());
    }
  }

  @SuppressWarnings("unchecked")
  private static List<RankSetting> levers(Options options) {
    return (List<RankSetting>) options.value(Option.LEVERS);
  }

  private static void requireDistinct(Option option, List<String> names) {
    if (Set.copyOf(names).size() < names.size()) {
      throw new InvalidInputException(option.flag() + " names directories that end alike, " + names + ": results are kept by these "
          + "names, so give each another");
    }
  }

  /** What results depend on. */
  private static Map<String, String> settings(Options options, List<RankCollection> collections, List<RankBase> bases) {
    Map<String, String> settings = new LinkedHashMap<>();
    collections.forEach(c -> settings.put("collection " + c.name(), c.digest()));
    bases.forEach(b -> settings.put("base " + b.name(), b.model().parameters() + " weights, \"" + b.query() + "\", \""
        + b.document() + "\""));
    settings.put("small", bases.get(0).name());
    for (Option option : List.of(Option.FOLDS, Option.STEPS, Option.RANK, Option.LAST_LAYERS, Option.LENGTH, Option.TRAIN_LENGTH,
        Option.SEED, Option.DTYPE)) {
      settings.put(option.flag().substring(2), String.valueOf(options.value(option)));
    }
    return settings;
  }
}
