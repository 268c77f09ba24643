package dev.fettle.internal.ranking;

import dev.fettle.InvalidInputException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** trec_eval's measures in the order in which it prints them, and the names of groups of them. */
final class Catalog {
  private static final Map<String, Maker> MEASURES = new LinkedHashMap<>();
  private static final List<String> OFFICIAL = List.of("runid", "num_q", "num_ret", "num_rel", "num_rel_ret", "map",
      "gm_map", "Rprec", "bpref", "recip_rank", "iprec_at_recall", "P");
  private static final Map<String, List<String>> GROUPS = new LinkedHashMap<>();

  @FunctionalInterface
  private interface Maker {
    Measure of(String name, String parameters);
  }

  static {
    only("runid", Measure.Kind.NAME, judged -> 0);
    only("num_q", Measure.Kind.QUERIES, judged -> 1);
    only("num_ret", Measure.Kind.COUNT, Judged::retrieved);
    only("num_rel", Measure.Kind.COUNT, Judged::relevant);
    only("num_rel_ret", Measure.Kind.COUNT, Judged::found);
    only("map", Measure.Kind.MEAN, RankMeasures::averagePrecision);
    only("gm_map", Measure.Kind.GEOMETRIC, judged -> RankMeasures.logarithm(RankMeasures.averagePrecision(judged)));
    only("Rprec", Measure.Kind.MEAN, RankMeasures::precisionAtRelevant);
    only("bpref", Measure.Kind.MEAN, RankMeasures::binaryPreference);
    only("recip_rank", Measure.Kind.MEAN, RankMeasures::reciprocalRank);
    MEASURES.put("iprec_at_recall", CutMeasures::interpolated);
    MEASURES.put("P", CutMeasures::precision);
    MEASURES.put("relstring", Catalog::grades);
    MEASURES.put("recall", CutMeasures::recall);
    only("infAP", Measure.Kind.MEAN, RankMeasures::inferredAveragePrecision);
    only("gm_bpref", Measure.Kind.GEOMETRIC, judged -> RankMeasures.logarithm(RankMeasures.binaryPreference(judged)));
    MEASURES.put("Rprec_mult", CutMeasures::multiples);
    MEASURES.put("utility", SetMeasures::utility);
    MEASURES.put("11pt_avg", CutMeasures::interpolatedMean);
    only("binG", Measure.Kind.MEAN, RankMeasures::binaryGain);
    MEASURES.put("G", GainMeasures::relative);
    MEASURES.put("dcg", GainMeasures::discounted);
    MEASURES.put("ideal_dcg", GainMeasures::idealDiscounted);
    MEASURES.put("ndcg", GainMeasures::normalised);
    MEASURES.put("ndcg_rel", GainMeasures::atRelevant);
    MEASURES.put("Rndcg", GainMeasures::atLevels);
    MEASURES.put("ndcg_cut", CutMeasures::normalisedGain);
    MEASURES.put("map_cut", CutMeasures::averagePrecision);
    MEASURES.put("relative_P", CutMeasures::relativePrecision);
    MEASURES.put("success", CutMeasures::success);
    only("set_P", Measure.Kind.MEAN, SetMeasures::precision);
    only("set_relative_P", Measure.Kind.MEAN, SetMeasures::relativePrecision);
    only("set_recall", Measure.Kind.MEAN, SetMeasures::recall);
    only("set_map", Measure.Kind.MEAN, SetMeasures::averagePrecision);
    MEASURES.put("set_F", SetMeasures::f);
    only("num_nonrel_judged_ret", Measure.Kind.COUNT, Catalog::irrelevantRetrieved);
    MEASURES.put("rbp", GainMeasures::rankBiased);
    only("rbp_resid", Measure.Kind.MEAN, RankMeasures::attentionResidual);
    MEASURES.put("unj", CutMeasures::unjudged);

    GROUPS.put("official", OFFICIAL);
    GROUPS.put("set", List.of("runid", "num_q", "num_ret", "num_rel", "num_rel_ret", "utility", "set_P", "set_recall",
        "set_relative_P", "set_map", "set_F"));
    Set<String> all = new LinkedHashSet<>(MEASURES.keySet());
    all.removeAll(Set.of("dcg", "ideal_dcg"));
    GROUPS.put("all_trec", List.copyOf(all));
  }

  private Catalog() {}

  /**
   * The measures that are asked for, each as {@code NAME}, {@code NAME.PARAMETERS} or the name of a group. Where one is
   * given parameters twice, the first ones hold, as in trec_eval.
   */
  static List<Measure> measures(Settings settings, String... wanted) {
    Map<String, String> parameters = new LinkedHashMap<>();
    Set<String> names = new LinkedHashSet<>();
    for (String measure : wanted.length == 0 ? new String[] {"official"} : wanted) {
      String[] parts = measure.split("\\.", 2);
      if (parts.length == 2) {
        if (parts[1].isEmpty()) {
          throw new InvalidInputException("measure \"" + measure + "\" ends in a full stop but has no parameter");
        }
        parameters.putIfAbsent(parts[0], parts[1]);
      }
      if (GROUPS.containsKey(parts[0])) {
        names.addAll(GROUPS.get(parts[0]));
        if (settings.nine()) {
          names.removeAll(Set.of("rbp", "rbp_resid", "unj"));
        }
      } else if (MEASURES.containsKey(parts[0])) {
        names.add(parts[0]);
      } else {
        throw new InvalidInputException("there is no measure \"" + measure + "\"; there are "
            + String.join(", ", GROUPS.keySet()) + " and " + String.join(", ", MEASURES.keySet()));
      }
    }
    List<Measure> measures = new ArrayList<>();
    MEASURES.forEach((name, maker) -> {
      if (names.contains(name)) {
        measures.add(maker.of(name, parameters.get(name)));
      }
    });
    return measures;
  }

  private static void only(String name, Measure.Kind kind, Measure.Value value) {
    MEASURES.put(name, (n, parameters) -> Measure.of(n, kind, value));
  }

  private static Measure grades(String name, String parameters) {
    double[] length = Parameters.numbers(name, parameters, 10);
    return Measure.of(Parameters.named(name, parameters), Measure.Kind.GRADES, judged -> length[0]);
  }

  private static double irrelevantRetrieved(Judged judged) {
    int count = 0;
    for (int grade : judged.grades()) {
      count += grade >= 0 && grade < judged.level() ? 1 : 0;
    }
    return count;
  }
}
