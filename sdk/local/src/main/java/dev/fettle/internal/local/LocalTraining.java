package dev.fettle.internal.local;

import dev.fettle.AdamW;
import dev.fettle.Batch;
import dev.fettle.CustomLoss;
import dev.fettle.DType;
import dev.fettle.DataPosition;
import dev.fettle.GgufType;
import dev.fettle.InvalidInputException;
import dev.fettle.Loss;
import dev.fettle.LossResult;
import dev.fettle.MemoryPlan;
import dev.fettle.NumericException;
import dev.fettle.OptimResult;
import dev.fettle.Prompt;
import dev.fettle.StepResult;
import dev.fettle.Trainable;
import dev.fettle.Tuning;
import dev.fettle.internal.CustomPass;
import dev.fettle.internal.ProgressMeter;
import dev.fettle.internal.SamplerBackend;
import dev.fettle.internal.TokenLoss;
import dev.fettle.internal.TrainingBackend;
import dev.fettle.internal.torch.Execution;
import dev.fettle.internal.torch.Memory;
import dev.fettle.internal.torch.NumberType;
import dev.fettle.internal.torch.Scope;
import dev.fettle.internal.torch.Tensor;
import dev.fettle.internal.torch.Torch;
import dev.fettle.ranking.RankLoss;
import dev.fettle.ranking.RankResult;
import dev.fettle.ranking.Ranked;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;

/** A training on this machine. */
final class LocalTraining implements TrainingBackend {
  private final LocalModel model;
  private final TrainableModel tuned;
  private final TokenPass tokens;
  private RankTraining ranks;
  private long steps;
  private long passes;
  private boolean accumulated;
  private DataPosition position;
  private Execution execution = Torch.get().usual();
  private boolean open = true;

  LocalTraining(LocalModel model, TrainableModel tuned) {
    this.model = model;
    this.tuned = tuned;
    this.tokens = model.config().isCausalLm() ? new TokenPass(model.network(), tuned, model.memory()) : null;
  }

  @Override
  public Tuning tuning() {
    return tuned.tuning();
  }

  @Override
  public Trainable trainable() {
    return tuned.trainable();
  }

  @Override
  public CompletableFuture<MemoryPlan> memoryPlan() {
    return work(() -> MemoryPlanner.plus(base(), model.memory().training(tuned.adapters(), tuned.full(), tuned.brought())));
  }

  @Override
  public CompletableFuture<MemoryPlan> memoryPlan(Batch batch) {
    check(batch, Loss.crossEntropy());
    return work(() -> {
      int kept = model.memory().firstKept(batch, tuned, accumulated);
      return beside(model.memory().backward(batch, tuned, kept, accumulated));
    });
  }

  @Override
  public CompletableFuture<MemoryPlan> memoryPlan(List<Ranked> batch, RankLoss loss) {
    return work(() -> beside(ranks().plan(batch, loss, accumulated)));
  }

  /** A pass, its gradient included, beside all else that the training holds. */
  private MemoryPlan beside(MemoryPlan pass) {
    return MemoryPlanner.plus(base(), model.memory().training(tuned.adapters(), tuned.full(), tuned.brought(), 0), pass);
  }

  private MemoryPlan base() {
    return tuned.sharesBase() ? model.memory().weights() : new MemoryPlan(List.of());
  }

  @Override
  public CompletableFuture<LossResult> forward(Batch batch, Loss loss) {
    model.requireCausalLm();
    BatchCheck.tokens(batch, model.config());
    return work(() -> {
      Memory.get().require(model.memory().forward(batch), 0, pass(batch));
      if (loss instanceof Loss.Custom custom) {
        return evaluated(batch, custom.loss()).result();
      }
      for (int i = 0; i < batch.size(); i++) {
        TokenLoss.requireInputs(loss, batch.data().get(i), i);
      }
      return tokens.forward(batch, loss);
    });
  }

  @Override
  public CompletableFuture<LossResult> forwardBackward(Batch batch, Loss loss) {
    check(batch, loss);
    return work(() -> pass(batch, loss));
  }

  @Override
  public CompletableFuture<OptimResult> optimStep(AdamW settings) {
    return work(() -> update(settings));
  }

  @Override
  public CompletableFuture<StepResult> step(Batch batch, Loss loss, AdamW settings) {
    check(batch, loss);
    return work(() -> new StepResult(pass(batch, loss), update(settings)));
  }

  @Override
  public CompletableFuture<RankResult> forward(List<Ranked> batch, RankLoss loss) {
    return work(() -> ranks().forward(batch, loss));
  }

  @Override
  public CompletableFuture<RankResult> forwardBackward(List<Ranked> batch, RankLoss loss) {
    return work(() -> ranks(batch, loss));
  }

  @Override
  public CompletableFuture<RankResult> step(List<Ranked> batch, RankLoss loss, AdamW settings) {
    return work(() -> {
      RankResult result = ranks(batch, loss);
      update(settings);
      return result;
    });
  }

  private RankResult ranks(List<Ranked> batch, RankLoss loss) {
    return counted(() -> ranks().forwardBackward(batch, loss, accumulated, passes));
  }

  /** A pass that leaves a gradient; one that fails leaves what there was. */
  private <R> R counted(Supplier<R> pass) {
    try {
      R result = pass.get();
      accumulated = true;
      passes++;
      return result;
    } catch (NumericException e) {
      throw new NumericException("step " + (steps + 1) + ": " + e.getMessage() + (steps > 0 ? ". Lower the learning rate, or clip "
          + "the gradient" : ". No step has been made yet, so look at the weights that it begins with, and at the data"), e);
    }
  }

  private RankTraining ranks() {
    if (ranks == null) {
      ranks = new RankTraining(model, tuned);
    }
    return ranks;
  }

  @Override
  public CompletableFuture<float[]> score(String query, List<String> texts, ProgressMeter meter) {
    return work(() -> {
      Judge judge = Judge.of(model);
      return model.scores(judge, tuned, texts.stream().map(text -> judge.read(model.config(), query, text)).toList(), meter);
    });
  }

  @Override
  public CompletableFuture<List<float[]>> embed(List<String> texts, Optional<Prompt> prompt, OptionalInt maxTokens,
      ProgressMeter meter) {
    return work(() -> {
      LocalEncoder encoder = model.encoder();
      return encoder.embed(encoder.read(texts, prompt, maxTokens), tuned.weights(), tuned.adapter(), meter);
    });
  }

  private void check(Batch batch, Loss loss) {
    model.requireCausalLm();
    BatchCheck.tokens(batch, model.config());
    if (!(loss instanceof Loss.Custom)) {
      BatchCheck.loss(batch, loss);
    }
  }

  private LossResult pass(Batch batch, Loss loss) {
    MemoryPlan least = model.memory().backward(batch, tuned, model.config().layers().size(), accumulated);
    Memory.get().require(least, tuned.promisedGradients(), pass(batch));
    return counted(() -> loss instanceof Loss.Custom custom ? customPass(batch, custom.loss())
        : tokens.forwardBackward(batch, loss, accumulated, passes));
  }

  private String pass(Batch batch) {
    return "a pass over " + batch.tokens() + " tokens through " + model.name();
  }

  private LossResult customPass(Batch batch, CustomLoss loss) {
    CustomPass pass = evaluated(batch, loss);
    EngineThread.requireOpen(open, "this training of " + model.name());
    BatchCheck.tokens(pass.surrogate(), model.config());
    if (pass.trains()) {
      tokens.forwardBackward(pass.surrogate(), Loss.crossEntropy(), accumulated, passes);
    }
    return pass.result();
  }

  private CustomPass evaluated(Batch batch, CustomLoss loss) {
    return CustomPass.of(loss, batch, tokens.forward(CustomPass.unweighted(batch), Loss.crossEntropy()));
  }

  private OptimResult update(AdamW settings) {
    if (!accumulated) {
      throw new InvalidInputException("optimStep without a gradient: call forwardBackward first");
    }
    ParameterVector p = tuned.parameters();
    List<AdamW> ofRuns = p.runs().stream().map(run -> run.rule().of(settings)).toList();
    try (Scope scope = new Scope()) {
      List<GradientVectors.Piece> pieces = tuned.gradients().pieces();
      double norm = norm(scope, pieces);
      if (!Double.isFinite(norm)) {
        tuned.gradients().clear();
        accumulated = false;
        throw new NumericException("the gradient of step " + (steps + 1) + " has the norm " + norm + "; it was "
            + "dropped, weights and optimizer are as they were. Lower the learning rate or look at the data");
      }
      double clip = settings.clipNorm() == 0 ? 1 : Math.min(1, settings.clipNorm() / (norm + 1e-6));
      boolean inPlace = tuned.gradients().clearedInPlace();
      for (int i = 0; i < ofRuns.size(); i++) {
        ParameterVector.Run run = p.runs().get(i);
        AdamW s = ofRuns.get(i);
        for (GradientVectors.Piece piece : pieces) {
          scope.kernels().adamw(p.values(), piece.values(), p.firstMoment(), p.secondMoment(), run.offset(), run.size(),
              piece.offset(), s.learningRate(), s.beta1(), s.beta2(), s.eps(), s.weightDecay(), steps + 1, clip, inPlace);
        }
      }
      if (!inPlace) {
        tuned.gradients().clear();
      }
      steps++;
      accumulated = false;
      tuned.refresh();
      return new OptimResult(steps, settings.learningRate(), norm);
    }
  }

  private static double norm(Scope scope, List<GradientVectors.Piece> pieces) {
    if (pieces.size() == 1) {
      return scope.kernels().l2Norm(pieces.get(0).values());
    }
    return Math.sqrt(pieces.stream().mapToDouble(p -> Math.pow(scope.kernels().l2Norm(p.values()), 2)).sum());
  }

  @Override
  public CompletableFuture<SamplerBackend> sampler() {
    return work(() -> {
      model.requireCausalLm();
      Memory.Held held = Memory.get().hold(tuned.freezing(), "a sampler of " + model.name());
      Scope scope = new Scope();
      return model.sampler(scope, Optional.of(held), tuned.freeze(scope));
    });
  }

  @Override
  public CompletableFuture<Void> saveState(Path directory, Optional<DataPosition> at) {
    return work(() -> {
      StateFiles.save(directory, this, at);
      return null;
    });
  }

  @Override
  public CompletableFuture<Void> loadState(Path directory) {
    return work(() -> {
      StateFiles.load(directory, this);
      return null;
    });
  }

  @Override
  public CompletableFuture<Void> loadWeights(Path directory) {
    return work(() -> {
      StateFiles.load(directory, this);
      try (Scope scope = new Scope()) {
        for (Tensor moment : List.of(tuned.parameters().firstMoment(), tuned.parameters().secondMoment())) {
          scope.kernels().zero(moment);
        }
      }
      tuned.gradients().clear();
      restore(new Counters(0, 0, false, Optional.empty()));
      return null;
    });
  }

  @Override
  public CompletableFuture<Void> saveAdapter(Path directory) {
    return work(() -> {
      if (tuned.adapters().parameters().isEmpty()) {
        throw new InvalidInputException(tuned.tuning() + " has no adapter: save the weights with saveMerged");
      }
      AdapterFiles.save(directory, tuned, model);
      return null;
    });
  }

  @Override
  public CompletableFuture<Void> saveMerged(Path directory, DType type) {
    return work(() -> {
      MergedFiles.save(directory, model, tuned, NumberType.of(type));
      return null;
    });
  }

  @Override
  public CompletableFuture<Void> saveGguf(Path file, GgufType type, ProgressMeter meter) {
    return work(() -> {
      GgufModelFiles.save(file, model, tuned.layout(), new MergedWeights(model, tuned)::value, type, meter);
      return null;
    });
  }

  @Override
  public CompletableFuture<Void> saveGgufAdapter(Path file, ProgressMeter meter) {
    return work(() -> {
      GgufAdapterFiles.save(file, model, tuned, meter);
      return null;
    });
  }

  @Override
  public Optional<DataPosition> dataPosition() {
    return Optional.ofNullable(position);
  }

  @Override
  public long steps() {
    return steps;
  }

  LocalModel model() {
    return model;
  }

  TrainableModel tuned() {
    return tuned;
  }

  /** The counters that a saved state holds. */
  record Counters(long steps, long passes, boolean accumulated, Optional<DataPosition> position) {}

  Counters counters() {
    return new Counters(steps, passes, accumulated, dataPosition());
  }

  /** How its passes are carried out. */
  RecordedExecution execution() {
    return new RecordedExecution(Torch.get().processor().toString(), execution,
        tuned.dropout() == 0 ? GradientVectors.lanes(tuned.adapters(), tuned.full(), execution.threads()) : 1);
  }

  /** Carries out passes as they were when a state was saved, as far as that can be had here. */
  void resume(RecordedExecution recorded, Path state) {
    execution = recorded.here();
    recorded.warnOfDifference(execution(), state);
  }

  void restore(Counters counters) {
    steps = counters.steps;
    passes = counters.passes;
    accumulated = counters.accumulated;
    position = counters.position.orElse(null);
    tuned.refresh();
  }

  @Override
  public void close() {
    EngineThread.get().run(() -> {
      if (open) {
        open = false;
        tuned.close();
        model.forget(this);
        Memory.get().tidy();
      }
    });
  }

  private <T> CompletableFuture<T> work(Callable<T> work) {
    return EngineThread.get().submit(() -> {
      EngineThread.requireOpen(open, "this training of " + model.name());
      Execution before = Torch.get().execution();
      Torch.get().use(execution);
      try {
        return work.call();
      } finally {
        Torch.get().use(before);
      }
    });
  }
}
