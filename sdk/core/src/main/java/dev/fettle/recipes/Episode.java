package dev.fettle.recipes;

import dev.fettle.Datum;
import dev.fettle.Sample;
import dev.fettle.Sampler;
import java.util.Arrays;
import java.util.BitSet;

/**
 * A talk as tokens: those that the model sampled, exactly as they were, and between them those that it read. Grows at its end.
 */
final class Episode {
  private int[] tokens;
  private float[] logprobs;
  private final BitSet own = new BitSet();

  /** Begins with what is read first. */
  Episode(int[] prompt) {
    tokens = prompt.clone();
    logprobs = new float[prompt.length];
  }

  /** One answer to a prompt. */
  static Episode of(int[] prompt, Sample answer) {
    Episode episode = new Episode(prompt);
    episode.say(answer);
    return episode;
  }

  /** Adds what the model sampled. */
  void say(Sample answer) {
    int at = tokens.length;
    read(answer.tokens());
    System.arraycopy(answer.logprobs(), 0, logprobs, at, answer.tokens().length);
    own.set(at, tokens.length);
  }

  /** Adds what the model reads. */
  void read(int[] more) {
    int at = tokens.length;
    tokens = Arrays.copyOf(tokens, at + more.length);
    logprobs = Arrays.copyOf(logprobs, tokens.length);
    System.arraycopy(more, 0, tokens, at, more.length);
  }

  int[] tokens() {
    return tokens;
  }

  /** Whether the model sampled a token. */
  boolean isOwn(int token) {
    return own.get(token);
  }

  /** How many tokens the model sampled. */
  int sampled() {
    return own.cardinality();
  }

  /** The log-ratio of each sampled token under the model that sampled it and another one; 0 elsewhere. */
  float[] ratios(Sampler other) {
    float[] of = other.logprobs(tokens);
    float[] ratios = new float[tokens.length];
    own.stream().forEach(i -> ratios[i] = logprobs[i] - of[i - 1]);
    return ratios;
  }

  /** What is learnt: the sampled tokens by their advantages, which stand where the tokens do; nothing of what was read. */
  Datum datum(float[] advantages) {
    int n = tokens.length - 1;
    float[] each = Arrays.copyOfRange(advantages, 1, n + 1);
    for (int i = own.nextClearBit(1); i <= n; i = own.nextClearBit(i + 1)) {
      each[i - 1] = 0;
    }
    return Datum.reinforcement(Arrays.copyOf(tokens, n), Arrays.copyOfRange(tokens, 1, n + 1),
        Arrays.copyOfRange(logprobs, 1, n + 1), each);
  }
}
