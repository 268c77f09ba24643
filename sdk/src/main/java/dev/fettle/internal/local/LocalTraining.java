package dev.fettle.internal.local;

import dev.fettle.AdamW;
import dev.fettle.Batch;
import dev.fettle.CustomLoss;
import dev.fettle.DType;
import dev.fettle.DataPosition;
import dev.fettle.Datum;
import dev.fettle.InvalidInputException;
import dev.fettle.Loss;
import dev.fettle.LossResult;
import dev.fettle.NumericException;
import dev.fettle.OptimResult;
import dev.fettle.StepResult;
import dev.fettle.Trainable;
import dev.fettle.Tuning;
import dev.fettle.internal.SamplerBackend;
import dev.fettle.internal.TrainingBackend;
import dev.fettle.internal.torch.NumberType;
import dev.fettle.internal.torch.Scope;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;

/** A training on this machine. */
final class LocalTraining implements TrainingBackend {
  private final LocalModel model;
  private final Tuned tuned;
  private final Step step;
  private long steps;
  private long passes;
  private boolean accumulated;
  private DataPosition position;
  private boolean open = true;

  LocalTraining(LocalModel model, Tuned tuned) {
    this.model = model;
    this.tuned = tuned;
    this.step = new Step(model.network(), tuned);
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
  public CompletableFuture<LossResult> forward(Batch batch, Loss loss) {
    BatchCheck.tokens(batch, model.config());
    return work(() -> {
      model.requireMemory(batch, false);
      if (loss instanceof Loss.Custom custom) {
        return evaluated(custom.loss(), batch, step.forward(unweighted(batch), Loss.crossEntropy())).result;
      }
      for (int i = 0; i < batch.size(); i++) {
        TokenLoss.requireInputs(loss, batch.data().get(i), i);
      }
      return step.forward(batch, loss);
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

  private void check(Batch batch, Loss loss) {
    BatchCheck.tokens(batch, model.config());
    if (!(loss instanceof Loss.Custom)) {
      BatchCheck.loss(batch, loss);
    }
  }

  private LossResult pass(Batch batch, Loss loss) {
    model.requireMemory(batch, true);
    try {
      LossResult result = loss instanceof Loss.Custom custom ? customPass(batch, custom.loss())
          : step.forwardBackward(batch, loss, accumulated, passes);
      accumulated = true;
      passes++;
      return result;
    } catch (NumericException e) {
      throw new NumericException("step " + (steps + 1) + ": " + e.getMessage(), e);
    }
  }

  /** The two passes of a custom loss: its derivative by the logprobs, negated, is a cross-entropy's weight. */
  private LossResult customPass(Batch batch, CustomLoss loss) {
    Evaluated e = evaluated(loss, batch, step.forward(unweighted(batch), Loss.crossEntropy()));
    EngineThread.requireOpen(open, "this training of " + model.name());
    List<Datum> surrogate = new ArrayList<>();
    boolean any = false;
    for (int i = 0; i < batch.size(); i++) {
      Datum datum = batch.data().get(i);
      float[] weights = new float[datum.length()];
      for (int j = 0; j < weights.length; j++) {
        weights[j] = -e.gradient.get(i)[j];
        any |= weights[j] != 0;
      }
      surrogate.add(Datum.supervised(datum.inputs(), datum.targets(), weights));
    }
    BatchCheck.tokens(Batch.of(surrogate), model.config());
    if (any) {
      step.forwardBackward(Batch.of(surrogate), Loss.crossEntropy(), accumulated, passes);
    }
    return e.result;
  }

  private record Evaluated(LossResult result, List<float[]> gradient) {}

  private static Evaluated evaluated(CustomLoss loss, Batch batch, LossResult forward) {
    CustomLoss.Value value = loss.of(batch.data(), forward.logprobs());
    if (value == null) {
      throw new InvalidInputException("the custom loss returned null");
    }
    if (!Double.isFinite(value.loss())) {
      throw new NumericException("the custom loss is " + value.loss() + "; the gradient is as it was");
    }
    if (value.gradient().size() != batch.size()) {
      throw new InvalidInputException("the custom loss gave " + value.gradient().size() + " gradients for "
          + batch.size() + " data");
    }
    int positions = 0;
    for (int i = 0; i < batch.size(); i++) {
      float[] g = value.gradient().get(i);
      if (g.length != batch.data().get(i).length()) {
        throw new InvalidInputException("gradient[" + i + "] of the custom loss has " + g.length + " values for "
            + batch.data().get(i).length() + " positions");
      }
      for (int j = 0; j < g.length; j++) {
        if (!Float.isFinite(g[j])) {
          throw new NumericException("gradient[" + i + "][" + j + "] of the custom loss is " + g[j]);
        }
      }
      positions += g.length;
    }
    Map<String, Double> metrics = new HashMap<>(value.metrics());
    metrics.put("loss:sum", value.loss());
    return new Evaluated(new LossResult(value.loss(), forward.logprobs(), positions, metrics), value.gradient());
  }

  private static Batch unweighted(Batch batch) {
    return Batch.of(batch.data().stream()
        .map(d -> Datum.supervised(d.inputs(), d.targets(), new float[d.length()])).toList());
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
          scope.effect("adamw", p.values(), piece.values(), p.firstMoment(), p.secondMoment(), run.offset(), run.size(),
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
      return scope.number("norm", pieces.get(0).values());
    }
    return Math.sqrt(pieces.stream().mapToDouble(p -> Math.pow(scope.number("norm", p.values()), 2)).sum());
  }

  @Override
  public CompletableFuture<SamplerBackend> sampler() {
    return work(() -> {
      Scope scope = new Scope();
      return model.sampler(scope, tuned.freeze(scope));
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
  public CompletableFuture<Void> saveAdapter(Path directory) {
    return work(() -> {
      if (tuned.adapters().parameters().isEmpty()) {
        throw new InvalidInputException(tuned.tuning() + " has no adapter: save the weights with saveMerged");
      }
      AdapterFiles.save(directory, tuned, model.name());
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

  Tuned tuned() {
    return tuned;
  }

  /** The counters that a saved state holds. */
  record Counters(long steps, long passes, boolean accumulated, Optional<DataPosition> position) {}

  Counters counters() {
    return new Counters(steps, passes, accumulated, dataPosition());
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
      }
    });
  }

  private <T> CompletableFuture<T> work(Callable<T> work) {
    return EngineThread.get().submit(() -> {
      EngineThread.requireOpen(open, "this training of " + model.name());
      return work.call();
    });
  }
}
