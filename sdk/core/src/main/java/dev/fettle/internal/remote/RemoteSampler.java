package dev.fettle.internal.remote;

import dev.fettle.ClosedException;
import dev.fettle.InvalidInputException;
import dev.fettle.Renderer;
import dev.fettle.Sample;
import dev.fettle.SamplingParams;
import dev.fettle.Token;
import dev.fettle.Tokenizer;
import dev.fettle.UnsupportedModelException;
import dev.fettle.internal.Futures;
import dev.fettle.internal.ProgressMeter;
import dev.fettle.internal.SamplerBackend;
import dev.fettle.internal.json.ArrayNode;
import dev.fettle.internal.text.SampledText;
import dev.fettle.internal.wire.Paths;
import dev.fettle.internal.wire.SampleProto;
import dev.fettle.internal.wire.Sampling;
import dev.fettle.internal.wire.WireException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;

/** A snapshot on a service. */
final class RemoteSampler implements SamplerBackend {
  private static final int LOST = 3;

  private final RemoteModel model;
  private final RemoteBackend owner;
  private final String session;
  private final Runnable closed;
  private final AtomicLong sequence = new AtomicLong();
  private volatile boolean open = true;

  RemoteSampler(RemoteModel model, String session, Runnable closed) {
    this.model = model;
    this.owner = model.owner();
    this.session = session;
    this.closed = closed;
  }

  @Override
  public Tokenizer tokenizer() {
    return model.tokenizer();
  }

  @Override
  public Renderer renderer() {
    return model.renderer();
  }

  @Override
  public CompletableFuture<List<List<Sample>>> sample(List<int[]> prompts, SamplingParams params, ProgressMeter meter) {
    check("prompts", prompts);
    if (params.int8()) {
      throw new UnsupportedModelException("int8: a service cannot be asked to decode with 8-bit weights; leave eightBit() "
          + "out, or sample on this machine (Fettle.local())");
    }
    long all = (long) prompts.size() * params.samples();
    meter.expect(all, all);
    Set<Integer> ends = ends(params);
    List<CompletableFuture<List<Sample>>> parts = new ArrayList<>();
    for (int i = 0; i < prompts.size(); i++) {
      int[] prompt = prompts.get(i);
      SamplingParams fitting = fitting(prompt, params);
      Sampling.Params wire = params(fitting, ends, params.seed() + (long) i * params.samples());
      parts.add(request(prompt, params.samples(), wire, false).thenApply(r -> samples(prompt, r, fitting, ends, meter)));
    }
    return all(parts);
  }

  /** Services refuse to sample beyond the context, where the local sampler ends. */
  private SamplingParams fitting(int[] prompt, SamplingParams params) {
    OptionalInt context = model.facts().context();
    int room = context.isPresent() ? Math.max(1, context.getAsInt() - prompt.length) : Integer.MAX_VALUE;
    return room < params.maxTokens() ? params.maxTokens(room) : params;
  }

  /** The tokens that end a sample. */
  private Set<Integer> ends(SamplingParams params) {
    Set<Integer> ends = new HashSet<>(params.stopTokens());
    if (!params.ignoreEos()) {
      ends.addAll(model.facts().ends());
    }
    return ends;
  }

  /** Either texts or ids can be asked for, not both; what is not asked for is cut off here. */
  private static Sampling.Params params(SamplingParams params, Set<Integer> ends, long seed) {
    ArrayNode stop = new ArrayNode();
    if (params.stop().isEmpty()) {
      ends.stream().sorted().forEach(id -> stop.add((int) id));
    } else {
      params.stop().forEach(stop::add);
    }
    return new Sampling.Params(params.maxTokens(), seed & Integer.MAX_VALUE, stop.isEmpty() ? null : stop,
        params.temperature(), params.topK() == 0 ? -1 : params.topK(), params.topP());
  }

  private List<Sample> samples(int[] prompt, Sampling.Result result, SamplingParams params, Set<Integer> ends,
      ProgressMeter meter) {
    if (result.sequences() == null || result.sequences().size() < params.samples()) {
      throw owner.calls().problems().strange("asample", new WireException("fewer samples than asked for"));
    }
    List<Sample> all = result.sequences().subList(0, params.samples()).stream()
        .map(s -> Cut.of(tokenizer(), prompt, s, params, ends).sample()).toList();
    meter.add(all.size(), all.size(), all.stream().mapToLong(s -> s.tokens().length).sum());
    return all;
  }

  /** A sample up to what ends it, with its text token by token. */
  private record Cut(Sample sample, List<String> pieces) {
    static Cut of(Tokenizer tokenizer, int[] prompt, Sampling.Sequence sequence, SamplingParams params, Set<Integer> ends) {
      int[] tokens = sequence.tokens() == null ? new int[0] : sequence.tokens();
      float[] logprobs = sequence.logprobs() == null ? new float[tokens.length] : sequence.logprobs();
      if (sequence.logprobs() == null) {
        Arrays.fill(logprobs, Float.NaN);
      }
      SampledText text = new SampledText(tokenizer, prompt, params.stop());
      List<String> pieces = new ArrayList<>();
      int most = Math.min(Math.min(tokens.length, logprobs.length), params.maxTokens());
      while (pieces.size() < most && !text.stopped()) {
        int id = tokens[pieces.size()];
        pieces.add(text.take(id, ends.contains(id), pieces.size() + 1 == most));
      }
      int length = pieces.size();
      boolean stopped = text.stopped() || !"length".equals(sequence.stopReason()) && length < params.maxTokens();
      return new Cut(new Sample(Arrays.copyOf(tokens, length), Arrays.copyOf(logprobs, length), text.text(),
          stopped ? Sample.StopReason.STOP : Sample.StopReason.LENGTH), pieces);
    }
  }

  /** The service gives samples whole: the tokens of one come when all are there. */
  @Override
  public Iterator<Token> stream(int[] prompt, SamplingParams params) {
    check("prompts", List.of(prompt));
    SamplingParams one = fitting(prompt, params.samples(1));
    Set<Integer> ends = ends(params);
    return new Iterator<>() {
      private Iterator<Token> tokens;

      private Iterator<Token> tokens() {
        if (tokens == null) {
          Sampling.Result result = Futures.join(request(prompt, 1, params(one, ends, one.seed()), false));
          if (result.sequences() == null || result.sequences().isEmpty()) {
            throw owner.calls().problems().strange("asample", new WireException("no sample"));
          }
          Cut cut = Cut.of(tokenizer(), prompt, result.sequences().get(0), one, ends);
          List<Token> all = new ArrayList<>();
          for (int i = 0; i < cut.pieces.size(); i++) {
            all.add(new Token(cut.sample.tokens()[i], cut.pieces.get(i), cut.sample.logprobs()[i]));
          }
          tokens = all.iterator();
        }
        return tokens;
      }

      @Override
      public boolean hasNext() {
        return tokens().hasNext();
      }

      @Override
      public Token next() {
        return tokens().next();
      }
    };
  }

  @Override
  public CompletableFuture<List<float[]>> logprobs(List<int[]> sequences) {
    check("sequences", sequences);
    Sampling.Params one = new Sampling.Params(1, 0L, null, 1.0, -1, 1.0);
    List<CompletableFuture<float[]>> parts = new ArrayList<>();
    for (int[] tokens : sequences) {
      parts.add(tokens.length < 2 ? CompletableFuture.completedFuture(new float[0])
          : request(tokens, 1, one, true).thenApply(r -> scores(tokens, r)));
    }
    return all(parts);
  }

  /** The logprobs after the first token: some services have an empty place for the first one, some have not. */
  private float[] scores(int[] tokens, Sampling.Result result) {
    List<Float> scores = result.promptLogprobs();
    int n = tokens.length;
    if (scores == null || scores.size() != n && scores.size() != n - 1) {
      throw owner.calls().problems().strange("asample for logprobs", new WireException((scores == null ? "no"
          : scores.size()) + " prompt_logprobs for " + n + " tokens"));
    }
    float[] out = new float[n - 1];
    for (int i = 0; i < out.length; i++) {
      Float score = scores.get(scores.size() - out.length + i);
      out[i] = score == null ? Float.NaN : score;
    }
    return out;
  }

  private CompletableFuture<Sampling.Result> request(int[] prompt, int samples, Sampling.Params params, boolean scores) {
    requireOpen();
    CompletableFuture<Sampling.Result> future = new CompletableFuture<>();
    SamplingThrottle gate = owner.gate();
    owner.workers().submissions().execute(() -> {
      gate.enter();
      future.whenComplete((r, e) -> gate.leave());
      guarded(future, () -> {
        PendingRequest promise = submit(prompt, samples, params, scores);
        owner.workers().samples().execute(() -> guarded(future, () ->
            future.complete(collect(promise, () -> submit(prompt, samples, params, scores)))));
      });
    });
    return future;
  }

  private static void guarded(CompletableFuture<?> future, Runnable work) {
    try {
      work.run();
    } catch (Throwable e) {
      future.completeExceptionally(e);
    }
  }

  private PendingRequest submit(int[] prompt, int samples, Sampling.Params params, boolean scores) {
    ApiRequest ask = ApiRequest.post(Paths.SAMPLE, Sampling.Sample.of(session, sequence.getAndIncrement(), prompt, samples, params,
        scores), "asample").with(Paths.BACKPRESSURE, "1");
    long start = System.nanoTime();
    ApiResponse answer = owner.gate().dispatch(ask, prompt.length);
    if (!answer.ok()) {
      throw owner.calls().problems().of(answer, ask.what());
    }
    return PendingRequest.of(owner.calls(), answer, ask.what(), "Sample", start);
  }

  /** The result; a request that the service has lost is made anew, with another number. */
  private Sampling.Result collect(PendingRequest first, java.util.function.Supplier<PendingRequest> again) {
    Function<ApiResponse, Sampling.Result> decode = answer -> answer.isProtobuf() ? SampleProto.read(answer.body())
        : owner.calls().read(answer, "asample", Sampling.Result.class);
    PendingRequest promise = first;
    for (int lost = 0;; lost++) {
      try {
        return owner.polling().result(promise, true, decode);
      } catch (Polling.Gone e) {
        if (lost == LOST) {
          throw e.problem();
        }
        promise = again.get();
      }
    }
  }

  /** All results, with the first error as it was. */
  private static <T> CompletableFuture<List<T>> all(List<CompletableFuture<T>> parts) {
    CompletableFuture<List<T>> out = new CompletableFuture<>();
    CompletableFuture.allOf(parts.toArray(CompletableFuture[]::new)).whenComplete((none, e) -> {
      if (e == null) {
        out.complete(parts.stream().map(CompletableFuture::join).toList());
      } else {
        Throwable cause = e;
        while (cause instanceof CompletionException && cause.getCause() != null) {
          cause = cause.getCause();
        }
        out.completeExceptionally(cause);
      }
    });
    return out;
  }

  private void check(String what, List<int[]> sequences) {
    requireOpen();
    if (sequences.isEmpty()) {
      throw new InvalidInputException("no " + what + ": give at least one");
    }
    RemoteCheck check = model.check();
    for (int i = 0; i < sequences.size(); i++) {
      check.tokens(what + "[" + i + "]", sequences.get(i));
    }
  }

  private void requireOpen() {
    owner.workers().requireOpen();
    if (!open) {
      throw new ClosedException("this sampler is closed");
    }
  }

  @Override
  public void close() {
    synchronized (this) {
      if (!open) {
        return;
      }
      open = false;
    }
    model.forget(this);
    closed.run();
  }
}
