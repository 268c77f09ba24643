package dev.fettle.internal.serve;

import dev.fettle.Sample;
import dev.fettle.SamplingParams;
import dev.fettle.internal.LiveRequest;
import dev.fettle.internal.SampleListener;
import dev.fettle.internal.SampledToken;
import dev.fettle.internal.wire.Sampling;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/** The samples of a request while they are made. They come on one thread, and are read when all have ended. */
final class LiveSamples {
  private final List<One> all = new ArrayList<>();
  private final BooleanSupplier abandoned;
  private final Consumer<LiveSamples> ended;
  private final AtomicInteger left;
  private Throwable failure;
  private int cached;

  /**
   * Begins.
   *
   * @param abandoned whether nobody wants them any more
   * @param ended called once all have ended, failed or been left
   */
  LiveSamples(int samples, BooleanSupplier abandoned, Consumer<LiveSamples> ended) {
    this.abandoned = abandoned;
    this.ended = ended;
    this.left = new AtomicInteger(samples);
    for (int i = 0; i < samples; i++) {
      all.add(new One());
    }
  }

  /** @param apart whether the seed matters: whatever else is sampled, the same tokens come of it then */
  LiveRequest request(int[] prompt, SamplingParams params, boolean apart) {
    return new LiveRequest(prompt, params, 0, false, all, apart);
  }

  /** What was sampled; throws what went wrong. */
  List<Sampling.Sequence> sequences() {
    if (failure instanceof RuntimeException e) {
      throw e;
    } else if (failure != null) {
      throw (Error) failure;
    }
    return all.stream().map(One::sequence).toList();
  }

  /** How many of the prompt's tokens had been read before. */
  int cached() {
    return cached;
  }

  private final class One implements SampleListener {
    private final List<SampledToken> tokens = new ArrayList<>();
    private String reason;
    private boolean over;

    @Override
    public void began(int tokens) {
      cached = Math.max(cached, tokens);
    }

    @Override
    public void token(SampledToken token) {
      tokens.add(token);
    }

    @Override
    public void ended(Sample.StopReason why) {
      reason = Sampling.reason(why);
      over();
    }

    @Override
    public void failed(Throwable error) {
      failure = error;
      over();
    }

    @Override
    public boolean abandoned() {
      boolean gone = abandoned.getAsBoolean();
      if (gone) {
        over();
      }
      return gone;
    }

    private void over() {
      if (!over) {
        over = true;
        if (left.decrementAndGet() == 0) {
          ended.accept(LiveSamples.this);
        }
      }
    }

    private Sampling.Sequence sequence() {
      float[] logprobs = new float[tokens.size()];
      for (int i = 0; i < logprobs.length; i++) {
        logprobs[i] = tokens.get(i).logprob();
      }
      return new Sampling.Sequence(reason, tokens.stream().mapToInt(SampledToken::id).toArray(), logprobs);
    }
  }
}
