package dev.fettle.examples;

import dev.fettle.BaseModel;
import dev.fettle.internal.Interruption;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Does all that a comparison of rankings consists of, stage by stage, as far as the budget allows: searches that nothing
 * is trained for, levers within the training folds, methods, learning curve, the larger model.
 */
final class RankStudy {
  static final List<String> METHODS = List.of("lora", "full", "hybrid");
  /** Training queries of the learning curve, below all of them. */
  static final List<Integer> CURVE = List.of(10, 30, 100);
  private static final double BACKWARD = 3;

  private final List<RankCollection> collections;
  private final List<RankBase> bases;
  private final List<RankSetting> settings;
  private final RankTrainer trainer;
  private final RankSearches searches;
  private final RankBudget budget;
  private final int length;
  private final int trained;
  private final int seeds;
  private final Map<String, RankTexts> texts = new LinkedHashMap<>();
  private final Map<String, RankUntuned> untuned = new LinkedHashMap<>();
  private final List<RankStage> stages = new ArrayList<>();
  private final long start = System.nanoTime();

  /**
   * A study whose first base model is the small one and whose second, if there is one, the larger.
   *
   * @param settings the start and the levers that are tried, or none
   * @param minutes that it may take, 0 for as many as it needs
   */
  RankStudy(List<RankCollection> collections, List<RankBase> bases, List<RankSetting> settings, RankTrainer trainer, int length,
      int trained, int seeds, int minutes) {
    this.collections = collections;
    this.bases = bases;
    this.settings = settings;
    this.trainer = trainer;
    this.searches = new RankSearches(trainer.store());
    this.budget = new RankBudget(minutes == 0 ? Double.MAX_VALUE : minutes * 60.0);
    this.length = length;
    this.trained = trained;
    this.seeds = seeds;
    plan();
  }

  private void plan() {
    RankBase small = bases.get(0);
    RankCollection first = collections.get(0);
    int importance = 2;
    List<RankStage> levers = new ArrayList<>();
    for (RankSetting setting : settings) {
      levers.add(new RankStage("lever " + setting.name(), importance++, folds(List.of(first)).stream()
          .map(u -> RankUnit.lever(setting, small.name(), u.collection(), u.fold())).toList(),
          work(small, setting, first, (first.data().corpus().size() + 2) / 3, trained)));
    }
    stages.addAll(levers);
    int later = importance;
    for (int seed = 1; seed <= seeds; seed++) {
      for (String method : METHODS) {
        add(method + ", seed " + seed, seed > 1 ? later + 10 * seed : method.equals("lora") ? 0 : 1, small, method, method,
            RankUnit.ALL, seed, collections);
      }
      // Before the levers that promise least.
      for (RankCollection collection : collections) {
        for (int queries : CURVE) {
          if (queries < collection.queries().size() - collection.fold(0).size()) {
            add("learning curve of " + collection.name() + ", " + queries + " queries, seed " + seed,
                seed == 1 && collection == first ? 5 : later + 10 * seed + 1, small, "lora", "lora-" + queries, queries, seed,
                List.of(collection));
          }
        }
      }
      for (RankBase larger : bases.subList(1, bases.size())) {
        add("lora of " + larger.name() + ", seed " + seed, seed == 1 ? 7 : later + 10 * seed + 2, larger, "lora", "lora",
            RankUnit.ALL, seed, collections);
      }
    }
  }

  private void add(String name, int importance, RankBase base, String method, String system, int queries, int seed,
      List<RankCollection> in) {
    List<RankUnit> units = folds(in).stream().map(u -> new RankUnit(system, base.name(), method, u.collection(), u.fold(), seed,
        queries, false)).toList();
    double each = in.stream().mapToDouble(c -> work(base, RankSetting.START, c, c.data().corpus().size(), length)).average()
        .orElse(0);
    stages.add(new RankStage(name, importance, units, each));
  }

  private static List<RankUnit> folds(List<RankCollection> in) {
    List<RankUnit> units = new ArrayList<>();
    for (RankCollection collection : in) {
      for (int fold = 0; fold < collection.folds(); fold++) {
        units.add(new RankUnit("", "", "", collection.name(), fold, 1, RankUnit.ALL, false));
      }
    }
    return units;
  }

  private double work(RankBase base, RankSetting setting, RankCollection collection, int documents, int each) {
    double read = (double) setting.steps(trainer.steps()) * trained
        * (setting.pairs() * (1.4 + setting.negatives()) + setting.further() * 1.4);
    return base.multiplied() * (BACKWARD * read + (double) documents * each);
  }

  /** Does what is not done yet; a reranker, if there is one, orders what the first model finds. */
  void run(@Nullable BaseModel reranker) {
    Interruption open = Interruption.saying(() -> trainer.store().size() + " results are kept in " + trainer.store().directory()
        + ": the same call goes on after them.");
    try {
      for (RankCollection collection : collections) {
        searches.byWords(collection);
        for (RankBase base : bases) {
          RankTexts own = new RankTexts(base, collection, length, trained);
          texts.put(base.name() + "." + collection.name(), own);
          searches.byVectors(own);
        }
        if (reranker != null) {
          searches.byReranker(texts.get(bases.get(0).name() + "." + collection.name()), reranker);
        }
      }
      stages.forEach(this::stage);
    } finally {
      open.close();
    }
  }

  private void stage(RankStage stage) {
    for (RankUnit unit : stage.units()) {
      if (!done(unit)) {
        Set<RankStage> affordable = budget.affordable(open(), Figures.since(start), s -> count(List.of(s)));
        if (!affordable.contains(stage)) {
          return;
        }
        one(stage, unit, affordable);
      }
    }
  }

  private void one(RankStage stage, RankUnit unit, Set<RankStage> affordable) {
    RankSetting setting = unit.lever() ? RankSetting.of(unit.system()) : chosen(unit.fold());
    String name = unit.base() + "." + unit.collection();
    RankTexts own = texts.get(name);
    RankUntuned drawn = untuned.computeIfAbsent(name, n -> searches.of(own, bases.get(bases.size() - 1)));
    double seconds = affordable.stream().mapToDouble(s -> budget.estimate(s.tokens() * count(List.of(s)))).sum();
    int all = trainer.store().size() + count(affordable);
    String left = seconds == 0 ? "" : ", " + (seconds < 90 ? Math.round(seconds) + " s" : Math.round(seconds / 60) + " min") + " left";
    long begun = System.nanoTime();
    trainer.run(unit, setting, own, drawn, String.format(Locale.ROOT, "run %d/%d%s: %s", trainer.store().size() + 1, all, left,
        unit));
    budget.done(stage.tokens(), Figures.since(begun));
  }

  private boolean done(RankUnit unit) {
    return trainer.store().costs(unit.key()).isPresent();
  }

  private List<RankStage> open() {
    return stages.stream().filter(s -> count(List.of(s)) > 0).toList();
  }

  /** How many units of stages are not done. */
  private int count(Collection<RankStage> some) {
    return (int) some.stream().flatMap(s -> s.units().stream()).filter(u -> !done(u)).count();
  }

  /**
   * The setting that the fold held back for choosing prefers, when this one is tested; of the levers that were tried on all
   * folds by the time it is first asked for.
   */
  RankSetting chosen(int fold) {
    String key = "choice.fold" + fold;
    if (trainer.store().costs(key).isEmpty()) {
      RankSetting best = RankSetting.START;
      double most = Double.NEGATIVE_INFINITY;
      for (RankSetting setting : tried()) {
        double quality = mean(lever(setting, fold).quality());
        if (quality > most) {
          most = quality;
          best = setting;
        }
      }
      trainer.store().add(new RankCosts(key, best.name(), 0, 0, 0, 0, 0, 0, 0, Map.of()));
    }
    return RankSetting.of(trainer.store().costs(key).orElseThrow().setting());
  }

  /** Levers that were tried on all folds. */
  List<RankSetting> tried() {
    return settings.stream().filter(setting -> {
      for (int fold = 0; fold < collections.get(0).folds(); fold++) {
        if (!done(RankUnit.lever(setting, bases.get(0).name(), collections.get(0).name(), fold))) {
          return false;
        }
      }
      return true;
    }).toList();
  }

  /** What came of a lever when a fold's settings were chosen. */
  RankCosts lever(RankSetting setting, int fold) {
    return trainer.store().costs(RankUnit.lever(setting, bases.get(0).name(), collections.get(0).name(), fold).key()).orElseThrow();
  }

  private static double mean(Map<String, Double> values) {
    return values.values().stream().mapToDouble(v -> v).average().orElse(Double.NaN);
  }

  List<RankCollection> collections() {
    return collections;
  }

  List<RankBase> bases() {
    return bases;
  }

  RankStore store() {
    return trainer.store();
  }

  /** Stages that the budget had no room for. */
  List<String> dropped() {
    return open().stream().map(RankStage::name).toList();
  }
}
