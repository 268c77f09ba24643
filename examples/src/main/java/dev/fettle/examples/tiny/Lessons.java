package dev.fettle.examples.tiny;

import dev.fettle.Batch;
import dev.fettle.Conversation;
import dev.fettle.Datum;
import dev.fettle.Rendered;
import dev.fettle.Renderer;
import dev.fettle.TrainOn;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;

/** The batches of the pre-training: conversations of about the same length together, in random order. */
final class Lessons {
  private final Iterator<Conversation> corpus;
  private final Renderer renderer;
  private final Random random = new Random(TinyRecipe.CORPUS_SEED);
  private final Deque<Batch> ready = new ArrayDeque<>();

  Lessons(Stream<Conversation> corpus, Renderer renderer) {
    this.corpus = corpus.iterator();
    this.renderer = renderer.trainOn(TrainOn.ALL_ASSISTANT_MESSAGES);
  }

  Batch next() {
    if (ready.isEmpty()) {
      List<Rendered> sequences = new ArrayList<>();
      for (int i = 0; i < TinyRecipe.SORTED_TOGETHER; i++) {
        sequences.addAll(renderer.render(corpus.next()));
      }
      sequences.sort(Comparator.comparingInt(Rendered::length));
      List<Batch> batches = group(sequences);
      Collections.shuffle(batches, random);
      ready.addAll(batches);
    }
    return ready.remove();
  }

  private static List<Batch> group(List<Rendered> sequences) {
    List<Batch> batches = new ArrayList<>();
    List<Rendered> group = new ArrayList<>();
    int tokens = 0;
    for (Rendered sequence : sequences) {
      if (tokens + sequence.length() > TinyRecipe.BATCH_TOKENS) {
        batches.add(weighted(group));
        group.clear();
        tokens = 0;
      }
      group.add(sequence);
      tokens += sequence.length();
    }
    batches.add(weighted(group));
    return batches;
  }

  /** The assistant's tokens weigh most, and all weights sum to 1, so that the loss is a mean. */
  private static Batch weighted(List<Rendered> group) {
    double sum = 0;
    for (Rendered sequence : group) {
      for (float w : sequence.weights()) {
        sum += Math.max(w, TinyRecipe.USER_WEIGHT);
      }
    }
    List<Datum> data = new ArrayList<>();
    for (Rendered sequence : group) {
      float[] weights = sequence.weights().clone();
      for (int i = 0; i < weights.length; i++) {
        weights[i] = (float) (Math.max(weights[i], TinyRecipe.USER_WEIGHT) / sum);
      }
      data.add(Datum.of(sequence.tokens(), weights));
    }
    return Batch.of(data);
  }
}
