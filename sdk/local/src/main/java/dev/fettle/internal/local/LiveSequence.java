package dev.fettle.internal.local;

import dev.fettle.Sample;
import dev.fettle.SamplingParams;
import dev.fettle.Tokenizer;
import dev.fettle.internal.LiveRequest;
import dev.fettle.internal.SampleListener;
import dev.fettle.internal.SampledToken;
import dev.fettle.internal.network.PackedAdapter;
import dev.fettle.internal.text.SampledText;
import java.util.Arrays;
import java.util.Set;
import java.util.SplittableRandom;

/** One sample of a {@link LiveBatch}. Only on the engine thread. */
final class LiveSequence {
  private final SamplingParams params;
  private final Set<Integer> ends;
  private final int top;
  private final int room;
  private final SplittableRandom random;
  private final SampledText text;
  private final SampleListener listener;
  private final boolean first;
  private int[] prompt;
  private int[] tokens = new int[16];
  private int count;
  private int sampled;
  private boolean done;
  private final LocalSampler sampler;
  private final PackedAdapter adapter;

  LiveSequence(LiveRequest request, int index, Tokenizer tokenizer, Set<Integer> ends, int context, LocalSampler sampler,
      PackedAdapter adapter) {
    this.sampler = sampler;
    this.adapter = adapter;
    this.params = request.params();
    this.first = index == 0;
    this.ends = ends;
    this.top = request.top();
    this.prompt = request.prompt();
    this.room = Generation.room(prompt, params, context);
    this.random = Generation.random(params.seed(), index);
    this.text = new SampledText(tokenizer, request.specials(), prompt, params.stop());
    this.listener = request.listeners().get(index);
  }

  /** Whose sample it is. */
  LocalSampler sampler() {
    return sampler;
  }

  PackedAdapter adapter() {
    return adapter;
  }

  /** What a decoder has to read before this goes on; the same array for samples that begin with the same prompt. */
  int[] prompt() {
    return prompt;
  }

  /** Whether it is the first of its prompt's samples. */
  boolean isFirst() {
    return first;
  }

  /** Tells, once, that its prompt has been read, so many tokens of it before. */
  void begin(int cached) {
    if (sampled == 0) {
      listener.began(cached);
    }
  }

  /** The first tokens of prompt and sample. */
  int[] tokens(int length) {
    int[] all = Arrays.copyOf(prompt, length);
    if (length > prompt.length) {
      System.arraycopy(tokens, 0, all, prompt.length, length - prompt.length);
    }
    return all;
  }

  /** Makes ready to be read anew, with what has been sampled. */
  void rewind() {
    prompt = tokens(prompt.length + count);
    tokens = new int[16];
    count = 0;
  }

  SamplingParams params() {
    return params;
  }

  int top() {
    return top;
  }

  /** The next random number, at least 0 and less than 1. */
  float next() {
    return Generation.uniform(random);
  }

  /** Whether it has ended, or nobody wants the rest. */
  boolean done() {
    if (!done && listener.abandoned()) {
      done = true;
    }
    return done;
  }

  int last() {
    return tokens[count - 1];
  }

  /** Takes the next token. */
  void take(int id, float logprob, int[] likeliest, float[] theirs) {
    if (count == tokens.length) {
      tokens = Arrays.copyOf(tokens, 2 * count);
    }
    tokens[count++] = id;
    boolean end = ends.contains(id);
    boolean last = ++sampled >= room;
    String piece = text.take(id, end, last);
    listener.token(new SampledToken(id, piece, logprob, end, likeliest, theirs));
    if (last || text.stopped()) {
      end();
    }
  }

  /** Tells that it is whole. */
  void end() {
    done = true;
    listener.ended(text.stopped() ? Sample.StopReason.STOP : Sample.StopReason.LENGTH);
  }

  boolean hasRoom() {
    return room > 0;
  }

  void fail(Throwable error) {
    if (!done) {
      done = true;
      listener.failed(error);
    }
  }
}
