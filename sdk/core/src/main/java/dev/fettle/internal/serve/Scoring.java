package dev.fettle.internal.serve;

import dev.fettle.internal.Futures;
import dev.fettle.internal.SamplerBackend;
import dev.fettle.internal.TokenScores;
import dev.fettle.internal.wire.Sampling;
import dev.fettle.internal.wire.Sampling.Likely;
import dev.fettle.internal.wire.TensorData;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * What a request for samples wants to know beside them: logprobs of the prompt's tokens, the likeliest tokens in their places
 * or in those of what is sampled, logprobs of other tokens in the prompt's places.
 *
 * @param prompt of how many of the prompt's last tokens the logprobs are wanted, or -1 where they are not
 */
record Scoring(int prompt, int topOfPrompt, int topOfSamples, TensorData targets) {
  private static final int MOST_LIKELY = 128;

  /** What a request asks for; what it may not ask for is refused by name. */
  static Scoring of(Sampling.Sample body, int[] prompt, Engine engine) {
    if (body.promptAltTokensK() != null && body.promptAltTokensK() != 0) {
      throw new Problem(422, "prompt_alt_tokens_k is " + body.promptAltTokensK() + ", and this server draws no other tokens "
          + "in the place of a prompt's own: leave it out");
    }
    boolean logprobs = Boolean.TRUE.equals(body.promptLogprobs());
    int last = prompt.length - 1;
    if (body.promptLogprobsLastN() != null) {
      last = body.promptLogprobsLastN();
      if (!logprobs || last < 1 || last >= prompt.length) {
        throw Problem.invalid("prompt_logprobs_last_n is " + last + ": give 1 to " + (prompt.length - 1)
            + ", with prompt_logprobs");
      }
    }
    int topOfPrompt = likely("topk_prompt_logprobs", body.topkPromptLogprobs());
    return new Scoring(logprobs ? last : -1, topOfPrompt, likely("topk_sample_logprobs", body.topkSampleLogprobs()),
        targets(body.targetPromptLogprobs(), prompt, engine));
  }

  private static int likely(String option, Integer k) {
    if (k != null && (k < 0 || k > MOST_LIKELY)) {
      throw Problem.invalid(option + " is " + k + ": give 0 to " + MOST_LIKELY);
    }
    return k == null ? 0 : k;
  }

  private static TensorData targets(TensorData targets, int[] prompt, Engine engine) {
    if (targets == null) {
      return null;
    }
    long[] shape = targets.shape();
    if (targets.ints() == null || shape == null || shape.length != 2 || shape[0] != prompt.length - 1
        || shape[0] * shape[1] != targets.size() || targets.size() > engine.limits().sizes().tokens()) {
      throw Problem.invalid("target_prompt_logprobs has the type " + targets.dtype() + " and the shape "
          + Arrays.toString(shape) + ": give int64, a row of tokens for each of the " + (prompt.length - 1)
          + " places after the first, at most " + engine.limits().sizes().tokens() + " in all");
    }
    int least = targets.sparse() == null ? -1 : 0;
    for (long id : targets.ints()) {
      if (id < least || id >= engine.model().vocabSize()) {
        throw Problem.invalid("target_prompt_logprobs has the token " + id + ": the vocabulary has the ids 0 to "
            + (engine.model().vocabSize() - 1));
      }
    }
    return targets;
  }

  /** The answer to a request. */
  Sampling.Result result(SamplerBackend backend, int[] tokens, List<Sampling.Sequence> sequences) {
    TokenScores scores = tokens.length > 1 && topOfPrompt > 0 || targets != null && targets.ints().length > 0
        ? Futures.join(backend.scores(tokens, 0, topOfPrompt, asked())) : null;
    return new Sampling.Result(
        topOfSamples == 0 ? sequences : sequences.stream().map(s -> with(backend, tokens, s)).toList(),
        prompt < 0 ? null : logprobs(backend, tokens),
        topOfPrompt == 0 ? null : withNothingAtFirst(scores), targets == null ? null : answered(scores), null);
  }

  private List<Float> logprobs(SamplerBackend backend, int[] tokens) {
    List<Float> out = new ArrayList<>();
    out.add(null);
    for (float score : Futures.join(backend.logprobs(List.of(tokens))).get(0)) {
      out.add(out.size() < tokens.length - prompt ? null : (Float) score);
    }
    return out;
  }

  private Sampling.Sequence with(SamplerBackend backend, int[] tokens, Sampling.Sequence s) {
    int[] all = Arrays.copyOf(tokens, tokens.length + s.tokens().length);
    System.arraycopy(s.tokens(), 0, all, tokens.length, s.tokens().length);
    List<List<Likely>> rows = s.tokens().length == 0 ? List.of()
        : rows(Futures.join(backend.scores(all, tokens.length - 1, topOfSamples, new int[0][])));
    return new Sampling.Sequence(s.stopReason(), s.tokens(), s.logprobs(), rows);
  }

  private static List<List<Likely>> withNothingAtFirst(TokenScores scores) {
    List<List<Likely>> out = new ArrayList<>();
    out.add(null);
    if (scores != null) {
      out.addAll(rows(scores));
    }
    return out;
  }

  private static List<List<Likely>> rows(TokenScores scores) {
    List<List<Likely>> out = new ArrayList<>();
    for (int i = 0; i < scores.top().length; i++) {
      List<Likely> row = new ArrayList<>();
      for (int j = 0; j < scores.top()[i].length; j++) {
        row.add(new Likely(scores.top()[i][j], scores.topLogprobs()[i][j]));
      }
      out.add(row);
    }
    return out;
  }

  /** The tokens of each place, filled up to one width; what no token stands in is token 0. */
  private int[][] asked() {
    if (targets == null || targets.ints().length == 0) {
      return new int[0][];
    }
    int places = (int) targets.shape()[0];
    int[][] out = new int[places][];
    for (int i = 0; i < places; i++) {
      out[i] = Arrays.stream(targets.ints(), first(i), first(i + 1)).mapToInt(id -> (int) Math.max(0, id)).toArray();
    }
    int width = Arrays.stream(out).mapToInt(row -> row.length).max().orElse(0);
    return Arrays.stream(out).map(row -> Arrays.copyOf(row, width)).toArray(int[][]::new);
  }

  /** Where the tokens of a place begin. */
  private int first(int place) {
    return targets.sparse() != null ? (int) targets.sparse().rows()[place] : (int) (place * targets.shape()[1]);
  }

  /** The logprobs in the layout of the targets. */
  private TensorData answered(TokenScores scores) {
    float[] out = new float[targets.ints().length];
    for (int place = 0; place < targets.shape()[0]; place++) {
      for (int i = first(place); i < first(place + 1); i++) {
        out[i] = targets.ints()[i] < 0 ? 0 : scores.asked()[place][i - first(place)];
      }
    }
    return new TensorData(targets.shape(), out, null, targets.sparse());
  }
}
