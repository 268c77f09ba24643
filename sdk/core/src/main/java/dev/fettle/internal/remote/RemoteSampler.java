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
import dev.fettle.internal.TokenScores;
import dev.fettle.internal.json.ArrayNode;
import dev.fettle.internal.text.SampledText;
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
import java.util.function.Function;
import java.util.function.IntFunction;

/** A snapshot on a service. */
final class RemoteSampler implements SamplerBackend {
  private static final Sampling.Params ONE = new Sampling.Params(1, 0L, null, 1.0, -1, 1.0);

  private final RemoteModel model;
  private final RemoteBackend owner;
  private final String session;
  private final Runnable closed;
  private final SampleRequests requests;
  private volatile boolean open = true;

  RemoteSampler(RemoteModel model, String session, Runnable closed) {
    this.model = model;
    this.owner = model.owner();
    this.session = session;
    this.requests = new SampleRequests(owner, session);
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
    List<CompletableFuture<Sampling.Result>> parts = new ArrayList<>();
    for (int i = 0; i < prompts.size(); i++) {
      int[] prompt = prompts.get(i);
      Sampling.Params wire = params(fitting(prompt, params), ends, params.seed() + (long) i * params.samples());
      parts.add(request(prompt, params.samples(), wire, false));
    }
    return all(parts, i -> r -> samples(prompts.get(i), r, fitting(prompts.get(i), params), ends, meter));
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
    List<CompletableFuture<Sampling.Result>> parts = new ArrayList<>();
    for (int[] tokens : sequences) {
      parts.add(tokens.length < 2 ? CompletableFuture.completedFuture(null) : request(tokens, 1, ONE, true));
    }
    return all(parts, i -> r -> r == null ? new float[0] : scores(sequences.get(i), r));
  }

  @Override
  public CompletableFuture<TokenScores> scores(int[] tokens, int from, int k, int[][] asked) {
    check("sequences", List.of(tokens));
    RemoteScores wanted = new RemoteScores(tokens.length - 1, from, k, asked);
    requireOpen();
    return all(List.of(requests.begin(tokens.length, number -> Sampling.Sample.scoring(session, number, tokens, ONE, k,
        wanted.targets()))), i -> r -> wanted.of(r, owner.calls().problems())).thenApply(list -> list.get(0));
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
    return requests.begin(prompt.length, number -> Sampling.Sample.of(session, number, prompt, samples, params, scores));
  }

  /** What is made of all answers; where one fails, or nobody waits any more, the others are given up. */
  private static <R, T> CompletableFuture<List<T>> all(List<CompletableFuture<R>> requests, IntFunction<Function<R, T>> use) {
    CompletableFuture<List<T>> out = new CompletableFuture<>();
    List<CompletableFuture<T>> parts = new ArrayList<>();
    for (int i = 0; i < requests.size(); i++) {
      parts.add(requests.get(i).thenApply(use.apply(i)));
    }
    parts.forEach(part -> part.whenComplete((value, e) -> {
      if (e != null) {
        out.completeExceptionally(e instanceof CompletionException && e.getCause() != null ? e.getCause() : e);
      }
    }));
    CompletableFuture.allOf(parts.toArray(CompletableFuture[]::new))
        .thenRun(() -> out.complete(parts.stream().map(CompletableFuture::join).toList()));
    out.whenComplete((value, e) -> requests.forEach(request -> request.cancel(false)));
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
