package dev.fettle.internal.local;

import dev.fettle.MemoryPlan;
import dev.fettle.NumericException;
import dev.fettle.internal.Status;
import dev.fettle.internal.torch.Kernels;
import dev.fettle.internal.torch.Memory;
import dev.fettle.internal.torch.NumberType;
import dev.fettle.internal.torch.Scope;
import dev.fettle.internal.torch.Tensor;
import dev.fettle.ranking.RankLoss;
import dev.fettle.ranking.RankResult;
import dev.fettle.ranking.Ranked;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;

/** Passes of a training over ranked texts. */
final class RankTraining {
  private final LocalModel model;
  private final TrainableModel tuned;
  private final GradientCache step;
  private final int tokens;
  private final Judge judge;
  private boolean said;

  RankTraining(LocalModel model, TrainableModel tuned) {
    this(model, tuned, GradientCache.tokens(model.config(), NumberType.of(model.dtype())));
  }

  /** With a bound of its own on the tokens that are held at a time. */
  RankTraining(LocalModel model, TrainableModel tuned, int tokens) {
    this.model = model;
    this.tuned = tuned;
    this.tokens = tokens;
    this.judge = model.embeds() ? null : Judge.of(model);
    Body body = judge != null ? judge.body(tuned)
        : Body.vectors(model.network(), tuned, model.encoder().pooler(), model.encoder().settings().width());
    this.step = new GradientCache(body, tuned, tokens);
  }

  /** The tokens of a batch, and where each query and text stands among them. */
  private record Input(List<int[]> tokens, int[] queries, int[] texts) {}

  /** The loss and the scores; nothing changes. */
  RankResult forward(List<Ranked> batch, RankLoss loss) {
    Input input = input(batch, loss);
    require(input, model.memory().texts(input.tokens, null, tokens, false), 0);
    Scored scored = new Scored(batch, loss, input);
    scored.derivative(step.forward(input.tokens));
    return scored.result;
  }

  /** The same; the gradient is added to what has accumulated. */
  RankResult forwardBackward(List<Ranked> batch, RankLoss loss, boolean accumulated, long pass) {
    Input input = input(batch, loss);
    require(input, plan(input, accumulated), tuned.promisedGradients());
    Scored scored = new Scored(batch, loss, input);
    step.forwardBackward(input.tokens, scored::derivative, accumulated, pass);
    return scored.result;
  }

  private Input input(List<Ranked> batch, RankLoss loss) {
    RankFormula.require(loss, batch, judge == null);
    return judge == null ? vectors(batch) : judgements(batch);
  }

  /** What a pass over a batch and its way back will hold, its gradient included. */
  MemoryPlan plan(List<Ranked> batch, RankLoss loss, boolean accumulated) {
    return plan(input(batch, loss), accumulated);
  }

  private MemoryPlan plan(Input input, boolean accumulated) {
    return model.memory().texts(input.tokens, tuned, tokens, accumulated);
  }

  private void require(Input input, MemoryPlan plan, long counted) {
    int longest = input.tokens.stream().mapToInt(t -> t.length).max().orElse(0);
    Memory.get().require(plan, counted, "a pass over " + input.tokens.size() + " texts of at most " + longest
        + " tokens through " + model.name());
  }

  /** Each text once, however many queries name it. */
  private Input vectors(List<Ranked> batch) {
    Map<String, Integer> places = new LinkedHashMap<>();
    int[] queries = batch.stream().mapToInt(r -> place(places, r.query())).toArray();
    int[] texts = batch.stream().flatMap(r -> r.texts().stream()).mapToInt(t -> place(places, t)).toArray();
    List<String> all = List.copyOf(places.keySet());
    List<int[]> read = model.encoder().tokens(all, OptionalInt.empty());
    sayFirstCut(batch, all, read);
    return new Input(read, queries, texts);
  }

  /** Says once that a text is longer than what is read of it. */
  private void sayFirstCut(List<Ranked> batch, List<String> all, List<int[]> read) {
    int most = model.encoder().settings().maxTokens().orElseThrow();
    for (int i = 0; i < all.size() && !said; i++) {
      String text = all.get(i);
      int whole = read.get(i).length < most ? 0 : model.encoder().length(text);
      if (whole > most) {
        said = true;
        String what = batch.stream().anyMatch(ranked -> ranked.query().equals(text)) ? "a query" : "a text to rank";
        Status.say(what + " has " + whole + " tokens, of which " + model.name() + " reads " + most
            + ": its end is cut off, and so is that of other long ones. It is said once for a training");
      }
    }
  }

  private static int place(Map<String, Integer> places, String text) {
    Integer known = places.putIfAbsent(text, places.size());
    return known == null ? places.size() - 1 : known;
  }

  private Input judgements(List<Ranked> batch) {
    List<int[]> tokens = new ArrayList<>();
    batch.forEach(r -> r.texts().forEach(t -> tokens.add(judge.read(model.config(), r.query(), t))));
    return new Input(tokens, new int[0], new int[0]);
  }

  /** From the numbers of texts to scores, the loss, and back. */
  private final class Scored {
    private final List<Ranked> batch;
    private final RankLoss loss;
    private final Input input;
    private final int[] starts;
    private RankResult result;

    Scored(List<Ranked> batch, RankLoss loss, Input input) {
      this.batch = batch;
      this.loss = loss;
      this.input = input;
      this.starts = RankFormula.starts(batch);
    }

    float[] derivative(float[] values) {
      for (float v : values) {
        if (!Float.isFinite(v)) {
          throw new NumericException("the model gives " + v + " for a text; the gradient is as it was before this pass");
        }
      }
      return judge == null ? ofVectors(values) : ofJudgements(values);
    }

    private float[] ofVectors(float[] values) {
      int width = model.encoder().settings().width();
      try (Scope scope = new Scope()) {
        long[] shape = {input.tokens.size(), width};
        Kernels k = scope.kernels();
        Tensor all = k.viewSlice(scope.floats(values), 0, shape);
        Tensor queries = scope.longs(input.queries);
        Tensor texts = scope.longs(input.texts);
        Tensor q = k.selectRows(all, queries);
        Tensor t = k.selectRows(all, texts);
        float[] scores = k.similarities(q, t).floats();
        RankFormula.Value value = RankFormula.of(loss, batch, scores);
        result = result(value, scores);
        Tensor d = k.viewSlice(scope.floats(value.derivative()), 0, new long[] {batch.size(), input.texts.length});
        Tensor[] dqt = k.similaritiesBackward(d, q, t);
        Tensor into = k.viewSlice(scope.floats(new float[values.length]), 0, shape);
        k.selectedBackward(dqt[0], queries, into);
        k.selectedBackward(dqt[1], texts, into);
        return into.floats();
      }
    }

    /** A query is judged with its own texts only: the rest of the matrix stays empty. */
    private float[] ofJudgements(float[] values) {
      float[] scores = new float[batch.size() * values.length];
      for (int i = 0; i < batch.size(); i++) {
        System.arraycopy(values, starts[i], scores, i * values.length + starts[i], starts[i + 1] - starts[i]);
      }
      RankFormula.Value value = RankFormula.of(loss, batch, scores);
      result = result(value, scores);
      float[] out = new float[values.length];
      for (int i = 0; i < batch.size(); i++) {
        System.arraycopy(value.derivative(), i * values.length + starts[i], out, starts[i], starts[i + 1] - starts[i]);
      }
      return out;
    }

    private RankResult result(RankFormula.Value value, float[] scores) {
      List<float[]> own = new ArrayList<>();
      int columns = starts[batch.size()];
      for (int i = 0; i < batch.size(); i++) {
        own.add(Arrays.copyOfRange(scores, i * columns + starts[i], i * columns + starts[i + 1]));
      }
      return new RankResult(value.loss(), own, Map.of("accuracy", value.accuracy()));
    }
  }
}
