package dev.fettle.examples;

import dev.fettle.ranking.RankLoss;
import java.util.List;
import java.util.stream.Collectors;

/**
 * What is tuned on and how: the start, or the start with one lever pulled.
 *
 * @param name the lever
 * @param pairs judged pairs of a batch
 * @param negatives hard negatives of each
 * @param source which they are
 * @param further pairs of a batch that need no judgement
 * @param kind what those are
 * @param temperature of the contrastive loss
 * @param rate what the learning rate is multiplied with
 * @param distilled whether the larger model's scores are learnt in place of the judgements
 */
record RankSetting(String name, int pairs, int negatives, Source source, int further, Further kind, double temperature,
    double rate, boolean distilled) {
  /** Pairs of a batch that number of steps is meant for. */
  static final int PAIRS = 16;
  /** What a step of LoRA learns with at most; full tuning a tenth of it. */
  static final double LORA_RATE = 1e-3;
  static final double FULL_SHARE = 0.1;
  private static final double TEACHER_TEMPERATURE = 0.02;

  /** Where hard negatives are from. */
  enum Source { BM25, OWN }

  /** Which pairs need no judgement. */
  enum Further { TITLES, SENTENCES }

  static final RankSetting START = new RankSetting("start", PAIRS, 0, Source.BM25, 0, Further.TITLES,
      RankLoss.DEFAULT_TEMPERATURE, 1, false);

  /** The start and all levers, the most promising first. */
  static final List<RankSetting> ALL = List.of(
      START,
      new RankSetting("bm25-negatives", PAIRS, 1, Source.BM25, 0, Further.TITLES, 0.05, 1, false),
      new RankSetting("titles", PAIRS, 0, Source.BM25, PAIRS / 2, Further.TITLES, 0.05, 1, false),
      new RankSetting("rate-third", PAIRS, 0, Source.BM25, 0, Further.TITLES, 0.05, 1.0 / 3, false),
      new RankSetting("own-negatives", PAIRS, 1, Source.OWN, 0, Further.TITLES, 0.05, 1, false),
      new RankSetting("temperature-0.02", PAIRS, 0, Source.BM25, 0, Further.TITLES, 0.02, 1, false),
      new RankSetting("batch-64", 4 * PAIRS, 0, Source.BM25, 0, Further.TITLES, 0.05, 1, false),
      new RankSetting("distilled", PAIRS / 2, 3, Source.BM25, 0, Further.TITLES, 0.05, 1, true),
      new RankSetting("sentences", PAIRS, 0, Source.BM25, PAIRS / 2, Further.SENTENCES, 0.05, 1, false));

  /** The start and the levers of some names with commas between, in the order of {@link #ALL}. */
  static Object named(String names) {
    List<String> wanted = names.equals("none") ? List.of() : List.of(names.split(","));
    wanted.forEach(name -> {
      if (ALL.stream().noneMatch(setting -> setting.name.equals(name))) {
        throw new IllegalArgumentException("there is no lever \"" + name + "\"; there are " + names());
      }
    });
    return wanted.isEmpty() ? List.of() : ALL.stream().filter(s -> s == START || wanted.contains(s.name)).toList();
  }

  /** The levers' names. */
  static String names() {
    return ALL.stream().map(RankSetting::name).filter(name -> !name.equals(START.name)).collect(Collectors.joining(","));
  }

  /** The one of a name. */
  static RankSetting of(String name) {
    return ALL.stream().filter(s -> s.name.equals(name)).findFirst().orElseThrow();
  }

  /** Steps that read as many judged pairs as the start's do. */
  int steps(int ofStart) {
    return distilled ? ofStart : Math.max(1, (int) Math.round((double) ofStart * PAIRS / pairs));
  }

  RankLoss loss() {
    return distilled ? RankLoss.listNet(temperature) : RankLoss.contrastive(temperature);
  }

  /** A teacher's cosine as the loss takes it. */
  static double grade(double cosine) {
    return cosine / TEACHER_TEMPERATURE;
  }

  /** What the lever does, in words. */
  String words() {
    return switch (name) {
      case "start" -> "the other texts of a batch are the negatives";
      case "bm25-negatives" -> "a hard negative of BM25 with each pair";
      case "own-negatives" -> "a hard negative of the untuned model itself with each pair, none that scores above 95 % of the positive";
      case "titles" -> "eight titles with their texts more in each batch";
      case "sentences" -> "eight sentences with the text they stand in more in each batch (inverse cloze task)";
      case "rate-third" -> "a third of the learning rate";
      case "batch-64" -> "batches of 64 pairs, a quarter of the steps (gradient caching where memory asks for it)";
      case "distilled" -> "the larger model's scores of a positive and three BM25 negatives (ListNet), in place of the judgements";
      default -> "temperature " + temperature + " in place of " + RankLoss.DEFAULT_TEMPERATURE;
    };
  }
}
