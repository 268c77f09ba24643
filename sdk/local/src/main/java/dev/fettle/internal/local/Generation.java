package dev.fettle.internal.local;

import dev.fettle.NumericException;
import dev.fettle.Sample;
import dev.fettle.SamplingParams;
import dev.fettle.Token;
import dev.fettle.Tokenizer;
import dev.fettle.internal.ProgressMeter;
import dev.fettle.internal.network.Decoder;
import dev.fettle.internal.text.SampledText;
import dev.fettle.internal.torch.Memory;
import dev.fettle.internal.torch.Scope;
import dev.fettle.internal.torch.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;

/** Several sequences that are being sampled together. Sequences that have ended leave the batch when half have. */
final class Generation implements AutoCloseable {
  /** Below it the likeliest token has all the probability, and logits divided by it would overflow float32. */
  static final double COLDEST = 1e-6;

  private final Decoder decoder;
  private final Memory.Held held;
  private final SamplingParams params;
  private final Set<Integer> ends;
  private final ProgressMeter meter;
  private final List<Sequence> all = new ArrayList<>();
  private List<Sequence> batch;

  /**
   * Begins.
   *
   * @param held the memory of the decoder
   * @param prompts the prompt of each sequence that the decoder holds
   * @param first the number of the first sequence among those of the call, which seeds its choices
   * @param context the longest that a sequence may become
   * @param meter counts sequences that have ended; its work is tokens, those that a sequence was spared included
   */
  Generation(Decoder decoder, Memory.Held held, Tokenizer tokenizer, List<int[]> prompts, long first, SamplingParams params,
      Set<Integer> ends, int context, ProgressMeter meter) {
    this.decoder = decoder;
    this.held = held;
    this.params = params;
    this.ends = ends;
    this.meter = meter;
    for (int i = 0; i < prompts.size(); i++) {
      all.add(new Sequence(tokenizer, prompts.get(i), room(prompts.get(i), params, context),
          random(params.seed(), first + i)));
    }
    this.batch = new ArrayList<>(all);
  }

  /** How many tokens may follow a prompt. */
  static int room(int[] prompt, SamplingParams params, int context) {
    return Math.max(0, Math.min(params.maxTokens(), context - prompt.length));
  }

  /**
   * The random numbers of one sequence. Seeds and sequences are hashed: the generator only counts up, so that plain
   * neighbours would give one and the same series, shifted.
   */
  static SplittableRandom random(long seed, long sequence) {
    long start = new SplittableRandom(seed).nextLong();
    return new SplittableRandom(new SplittableRandom(start + sequence).nextLong());
  }

  /** The next random number, at least 0 and less than 1. */
  static float uniform(SplittableRandom random) {
    return (float) (random.nextInt(1 << 24) * 0x1p-24);
  }

  /** The tokens that end a sample. */
  static Set<Integer> ends(LocalModel model, SamplingParams params) {
    Set<Integer> ends = new HashSet<>(params.stopTokens());
    if (!params.ignoreEos()) {
      ends.addAll(model.endTokens());
    }
    return ends;
  }

  /** Samples one token more for every sequence that goes on; false when none does. */
  boolean advance() {
    if (batch.stream().allMatch(s -> s.done)) {
      return false;
    }
    try (Scope scope = new Scope()) {
      float[] u = new float[batch.size()];
      for (int i = 0; i < u.length; i++) {
        u[i] = uniform(batch.get(i).random);
      }
      double temperature = params.temperature() < COLDEST ? 0 : params.temperature();
      Tensor[] chosen = scope.kernels().sampleToken(decoder.logits(), scope.floats(u), temperature, params.topK(),
          Math.max(params.topP(), Float.MIN_NORMAL));
      long[] ids = chosen[0].longs();
      float[] logprobs = chosen[1].floats();
      for (int i = 0; i < ids.length; i++) {
        if (!Float.isFinite(logprobs[i])) {
          throw new NumericException("the model gave a logprob of " + logprobs[i] + " for new token "
              + (batch.get(i).tokens.size() + 1) + ": its weights or adapter are not finite or far too large");
        }
        if (!batch.get(i).done) {
          batch.get(i).take((int) ids[i], logprobs[i]);
        }
      }
      int[] active = java.util.stream.IntStream.range(0, batch.size()).filter(i -> !batch.get(i).done).toArray();
      if (active.length == 0) {
        return false;
      }
      if (2 * active.length <= batch.size()) {
        decoder.keep(active);
        ids = Arrays.stream(active).mapToLong(i -> chosenId(i)).toArray();
        batch = new ArrayList<>(Arrays.stream(active).mapToObj(batch::get).toList());
      }
      decoder.step(Arrays.stream(ids).mapToInt(id -> (int) id).toArray());
      return true;
    }
  }

  private long chosenId(int i) {
    return batch.get(i).tokens.get(batch.get(i).tokens.size() - 1);
  }

  /** What has been sampled, in the order of the prompts. */
  List<Sample> samples() {
    return all.stream().map(Sequence::sample).toList();
  }

  /** The tokens of the first sequence from a place on. */
  Token token(int index) {
    Sequence s = all.get(0);
    return new Token(s.tokens.get(index), s.pieces.get(index), s.logprobs.get(index));
  }

  int count() {
    return all.get(0).tokens.size();
  }

  @Override
  public void close() {
    decoder.close();
    held.close();
  }

  private final class Sequence {
    private final int room;
    private final SplittableRandom random;
    private final SampledText text;
    private final List<Integer> tokens = new ArrayList<>();
    private final List<Float> logprobs = new ArrayList<>();
    private final List<String> pieces = new ArrayList<>();
    private boolean done;

    Sequence(Tokenizer tokenizer, int[] prompt, int room, SplittableRandom random) {
      this.room = room;
      this.random = random;
      this.text = new SampledText(tokenizer, prompt, params.stop());
      this.done = room == 0;
      meter.add(done ? 1 : 0, 0, 0);
    }

    void take(int id, float logprob) {
      tokens.add(id);
      logprobs.add(logprob);
      boolean last = tokens.size() >= room;
      pieces.add(text.take(id, ends.contains(id), last));
      done = last || text.stopped();
      meter.add(done ? 1 : 0, done ? 1 + room - tokens.size() : 1, 1);
    }

    Sample sample() {
      float[] p = new float[logprobs.size()];
      for (int i = 0; i < p.length; i++) {
        p[i] = logprobs.get(i);
      }
      return new Sample(tokens.stream().mapToInt(Integer::intValue).toArray(), p, text.text(),
          text.stopped() ? Sample.StopReason.STOP : Sample.StopReason.LENGTH);
    }
  }
}
