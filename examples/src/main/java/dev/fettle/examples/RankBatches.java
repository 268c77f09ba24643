package dev.fettle.examples;

import dev.fettle.ranking.Document;
import dev.fettle.ranking.Ranked;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;

/**
 * What an embedding model is tuned on, batch by batch: judged pairs with hard negatives as a setting asks for, and pairs
 * that need no judgement. Each pair comes once before any comes twice.
 */
final class RankBatches {
  private static final int SHORTEST_SENTENCE = 20;

  private final RankTexts texts;
  private final RankUntuned untuned;
  private final RankSetting setting;
  private final Random random;

  RankBatches(RankTexts texts, RankUntuned untuned, RankSetting setting, long seed) {
    this.texts = texts;
    this.untuned = untuned;
    this.setting = setting;
    this.random = new Random(seed);
  }

  private record Pair(String query, String positive) {}

  /** Batches from the judgements of some queries. */
  List<List<Ranked>> of(List<String> queries, int steps) {
    List<Pair> pairs = new ArrayList<>();
    queries.forEach(query -> texts.collection().data().qrels().grades(query).forEach((document, grade) -> {
      if (grade >= 1 && texts.trained(document) != null) {
        pairs.add(new Pair(query, document));
      }
    }));
    Deck<Pair> judged = new Deck<>(pairs, random);
    Deck<Document> documents = new Deck<>(texts.collection().data().corpus().values().stream()
        .filter(d -> !further(d).isEmpty()).toList(), random);
    List<List<Ranked>> batches = new ArrayList<>();
    for (int step = 0; step < steps; step++) {
      List<Ranked> batch = new ArrayList<>();
      for (int i = 0; i < setting.pairs(); i++) {
        batch.add(ranked(judged.next()));
      }
      for (int i = 0; i < setting.further(); i++) {
        Document document = documents.next();
        List<String> sought = further(document);
        batch.add(Ranked.pair(texts.sought(sought.get(random.nextInt(sought.size()))), texts.trained(document.id())));
      }
      batches.add(batch);
    }
    return batches;
  }

  private Ranked ranked(Pair pair) {
    List<String> negatives = new ArrayList<>(setting.negatives() == 0 ? List.of()
        : untuned.negatives(setting.source(), texts.collection(), pair.query, pair.positive).stream()
            .filter(document -> texts.trained(document) != null).toList());
    Collections.shuffle(negatives, random);
    List<String> documents = new ArrayList<>(List.of(pair.positive));
    documents.addAll(negatives.subList(0, Math.min(setting.negatives(), negatives.size())));
    List<String> read = documents.stream().map(texts::trained).toList();
    return setting.distilled()
        ? Ranked.graded(texts.query(pair.query), read, documents.stream()
            .map(d -> RankSetting.grade(untuned.teacher().of(pair.query, d))).toList())
        : new Ranked(texts.query(pair.query), read, List.of());
  }

  /** What may stand for a question that a document answers. */
  private List<String> further(Document document) {
    if (texts.trained(document.id()) == null) {
      return List.of();
    }
    if (setting.kind() == RankSetting.Further.TITLES) {
      return document.title().isEmpty() ? List.of() : List.of(document.title());
    }
    List<String> sentences = new ArrayList<>();
    for (String sentence : document.text().split("(?<=[.?!])\\s+")) {
      if (sentence.length() >= SHORTEST_SENTENCE && sentence.length() <= 200) {
        sentences.add(sentence);
      }
    }
    return sentences;
  }
}
