package dev.fettle.internal.remote;

import dev.fettle.AdamW;
import dev.fettle.Batch;
import dev.fettle.ClosedException;
import dev.fettle.DType;
import dev.fettle.DataPosition;
import dev.fettle.InvalidInputException;
import dev.fettle.Loss;
import dev.fettle.LossResult;
import dev.fettle.OptimResult;
import dev.fettle.ServiceException;
import dev.fettle.StepResult;
import dev.fettle.Trainable;
import dev.fettle.Tuning;
import dev.fettle.internal.CustomPass;
import dev.fettle.internal.Futures;
import dev.fettle.internal.SamplerBackend;
import dev.fettle.internal.TrainingBackend;
import dev.fettle.internal.wire.OutputProto;
import dev.fettle.internal.wire.Passes;
import dev.fettle.internal.wire.Paths;
import dev.fettle.internal.wire.Steps;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;

/**
 * A training on a service. Requests are numbered and submitted one after the other; each is sent only when the one
 * before has been acknowledged, and none waits for the result of another.
 */
final class RemoteTraining implements TrainingBackend {
  private static final String RESUME = "Fettle.resume";

  private final RemoteModel model;
  private final RemoteBackend owner;
  private final RetryingClient calls;
  private final WireTuning tuning;
  private final SequenceQueue turns;
  private final AtomicLong done;
  private volatile String id;
  private int sequence;
  private long submitted;
  private boolean accumulated;
  private volatile boolean broken;
  private volatile DataPosition position;
  private volatile Path savedTo;
  private volatile long savedAt;
  private int samplers;
  private volatile boolean open = true;

  RemoteTraining(RemoteModel model, WireTuning tuning, String id) {
    this(model, tuning, new RemoteModel.Loaded(id, 0), 0, Optional.empty());
  }

  /** Goes on from a state. */
  RemoteTraining(RemoteModel model, RemoteState state, RemoteModel.Loaded loaded) {
    this(model, state.tuning(), loaded, state.steps(), state.position());
  }

  private RemoteTraining(RemoteModel model, WireTuning tuning, RemoteModel.Loaded loaded, long steps,
      Optional<DataPosition> position) {
    this.model = model;
    this.owner = model.owner();
    this.calls = owner.calls();
    this.tuning = tuning;
    this.turns = new SequenceQueue(owner.workers().turns());
    this.position = position.orElse(null);
    begin(loaded, steps);
    this.done = new AtomicLong(steps);
  }

  private void begin(RemoteModel.Loaded loaded, long steps) {
    id = loaded.id();
    sequence = loaded.requests();
    submitted = steps;
    accumulated = false;
    broken = false;
  }

  @Override
  public Tuning tuning() {
    return tuning.tuning();
  }

  @Override
  public Trainable trainable() {
    return tuning.trainable(model.facts().config());
  }

  @Override
  public CompletableFuture<LossResult> forward(Batch batch, Loss loss) {
    model.check().data(batch, loss);
    return flat(() -> loss instanceof Loss.Custom custom
        ? CompletableFuture.completedFuture(evaluated(custom, batch).result()) : pass(batch, loss, true));
  }

  @Override
  public CompletableFuture<LossResult> forwardBackward(Batch batch, Loss loss) {
    model.check().training(batch, loss);
    return flat(() -> backward(batch, loss));
  }

  @Override
  public CompletableFuture<OptimResult> optimStep(AdamW settings) {
    return flat(() -> update(settings));
  }

  @Override
  public CompletableFuture<StepResult> step(Batch batch, Loss loss, AdamW settings) {
    model.check().training(batch, loss);
    return flat(() -> {
      CompletableFuture<LossResult> pass = backward(batch, loss);
      return pass.thenCombine(update(settings), StepResult::new);
    });
  }

  /** Submits a pass and gives its result when it comes; in a turn. */
  private CompletableFuture<LossResult> backward(Batch batch, Loss loss) {
    CompletableFuture<LossResult> result;
    if (loss instanceof Loss.Custom custom) {
      CustomPass evaluated = evaluated(custom, batch);
      result = evaluated.trains()
          ? pass(evaluated.surrogate(), Loss.crossEntropy(), false).thenApply(r -> evaluated.result())
          : CompletableFuture.completedFuture(evaluated.result());
    } else {
      result = pass(batch, loss, false);
    }
    accumulated = true;
    return result;
  }

  private CustomPass evaluated(Loss.Custom custom, Batch batch) {
    LossResult forward = Futures.join(pass(CustomPass.unweighted(batch), Loss.crossEntropy(), true));
    return CustomPass.of(custom.loss(), batch, forward);
  }

  private CompletableFuture<LossResult> pass(Batch batch, Loss loss, boolean forwardOnly) {
    owner.severalTargets().require(batch, calls.problems().host(),
        question -> Futures.join(checked(question, Loss.crossEntropy(), true)));
    return checked(batch, loss, forwardOnly);
  }

  private CompletableFuture<LossResult> checked(Batch batch, Loss loss, boolean forwardOnly) {
    var limits = owner.limits();
    List<List<Passes.Datum>> chunks = PassData.chunks(PassData.data(batch, loss), limits.chunkLength(), limits.chunkBytes());
    List<Passes.Pass> passes = new ArrayList<>();
    for (List<Passes.Datum> chunk : chunks) {
      passes.add(new Passes.Pass(id, ++sequence, chunk, PassData.name(loss), PassData.config(loss), forwardOnly));
    }
    List<PendingRequest> promises = submitAll(passes);
    List<CompletableFuture<Passes.Output>> outputs = new ArrayList<>();
    for (PendingRequest promise : promises) {
      outputs.add(later(() -> owner.polling().result(promise, owner.sender().protobuf(), answer -> answer.isProtobuf()
          ? OutputProto.read(answer.body()) : calls.read(answer, promise.what(), Passes.Output.class)), !forwardOnly));
    }
    return CompletableFuture.allOf(outputs.toArray(CompletableFuture[]::new)).thenApply(all -> {
      try {
        return PassData.result(batch, loss, outputs.stream().map(CompletableFuture::join).toList(), forwardOnly);
      } catch (dev.fettle.internal.wire.WireException e) {
        throw calls.problems().strange(promises.get(0).what() + " (request " + promises.get(0).requestId() + ")", e);
      }
    });
  }

  /**
   * Submits the parts of a batch. Where they may overlap, the first goes last: a service that works by number then has
   * all of them at once.
   */
  private List<PendingRequest> submitAll(List<Passes.Pass> passes) {
    List<PendingRequest> promises = new ArrayList<>(Collections.nCopies(passes.size(), null));
    try {
      int alone = passes.size() > 1 && owner.limits().parallel() ? 1 : passes.size();
      List<CompletableFuture<PendingRequest>> others = new ArrayList<>();
      for (Passes.Pass pass : passes.subList(alone, passes.size())) {
        others.add(CompletableFuture.supplyAsync(() -> owner.send(pass), owner.workers().submissions()));
      }
      for (int i = 0; i < others.size(); i++) {
        promises.set(alone + i, Futures.join(others.get(i)));
      }
      for (int i = 0; i < alone; i++) {
        promises.set(i, owner.send(passes.get(i)));
      }
      return promises;
    } catch (RuntimeException e) {
      broken |= passes.size() > 1 && !passes.get(0).forwardOnly();
      throw e;
    }
  }

  /** Submits an optimizer step; in a turn. */
  private CompletableFuture<OptimResult> update(AdamW settings) {
    if (!accumulated) {
      throw new InvalidInputException("optimStep without a gradient: call forwardBackward first");
    }
    Steps.AdamParams params = new Steps.AdamParams(settings.learningRate(), settings.beta1(), settings.beta2(),
        settings.eps(), settings.weightDecay(), settings.clipNorm());
    PendingRequest promise = PendingRequest.submit(calls,
        ApiRequest.post(Paths.OPTIM_STEP, Steps.OptimStep.of(params, id, ++sequence), "optim_step"), "OptimStep");
    accumulated = false;
    long step = ++submitted;
    return later(() -> {
      Map<String, Double> metrics = owner.polling().json(promise, Steps.OptimResult.class).metrics();
      done.accumulateAndGet(step, Math::max);
      return new OptimResult(step, settings.learningRate(), gradientNorm(metrics == null ? Map.of() : metrics));
    }, true);
  }

  /** Whatever a service calls it; NaN where it does not say. */
  private static double gradientNorm(Map<String, Double> metrics) {
    return metrics.entrySet().stream()
        .filter(m -> m.getValue() != null && m.getKey().matches("(.*[/:._])?(grad|gradient)_norm([:_].*)?"))
        .mapToDouble(Map.Entry::getValue).findFirst().orElse(Double.NaN);
  }

  @Override
  public CompletableFuture<SamplerBackend> sampler() {
    return aside(() -> {
      String session = owner.snapshots().session(id, () -> ++sequence);
      synchronized (this) {
        samplers++;
      }
      return model.sampler(session, this::samplerClosed);
    });
  }

  @Override
  public CompletableFuture<Void> saveState(Path directory, Optional<DataPosition> at) {
    return aside(() -> {
      String path = owner.snapshots().save(id, ++sequence, "step-" + submitted);
      Optional<DataPosition> place = at.or(this::dataPosition);
      new RemoteState(calls.problems().host(), path, model.name(), tuning, submitted, place).write(directory);
      savedTo = directory;
      savedAt = submitted;
      return null;
    });
  }

  @Override
  public CompletableFuture<Void> loadState(Path directory) {
    return turns.submit(() -> {
      requireOpen();
      RemoteState state = RemoteState.read(directory);
      if (!state.model().equals(model.name()) || state.tuning().rank() != tuning.rank()
          || state.tuning().attention() != tuning.attention() || state.tuning().mlp() != tuning.mlp()) {
        throw new InvalidInputException(directory + ": the state is of " + state.model() + " with "
            + state.tuning().tuning() + ", this training of " + model.name() + " with " + tuning());
      }
      String old = id;
      begin(model.load(state, true), state.steps());
      done.set(state.steps());
      position = state.position().orElse(null);
      owner.unload(old);
      return null;
    });
  }

  @Override
  public Optional<DataPosition> dataPosition() {
    return Optional.ofNullable(position);
  }

  @Override
  public CompletableFuture<Void> saveAdapter(Path directory) {
    return aside(() -> {
      if (tuning.full()) {
        throw new InvalidInputException(tuning() + " has no adapter: save the weights with saveMerged");
      }
      owner.snapshots().saveAdapter(id, ++sequence, directory, model.name());
      return null;
    });
  }

  @Override
  public CompletableFuture<Void> saveMerged(Path directory, DType type) {
    return aside(() -> {
      owner.snapshots().saveMerged(id, ++sequence, directory, model, type, tuning.full());
      return null;
    });
  }

  @Override
  public long steps() {
    return done.get();
  }

  private void requireOpen() {
    owner.workers().requireOpen();
    if (!open) {
      throw new ClosedException("this training of " + model.name() + " is closed");
    }
  }

  /** Work in its turn that changes nothing about the training: where it fails, the training goes on. */
  private <T> CompletableFuture<T> aside(Callable<T> work) {
    return turn(work, false);
  }

  /** Work in its turn; what goes wrong says how to go on. */
  private <T> CompletableFuture<T> turn(Callable<T> work, boolean changes) {
    return turns.submit(() -> {
      requireOpen();
      if (broken) {
        throw new ServiceException("this training on " + calls.problems().host() + " cannot go on: a request before "
            + "failed, and it is not known what the service made of it" + resumption(), 0);
      }
      try {
        return work.call();
      } catch (Snapshots.Unanswered e) {
        throw explained(e.problem(), true, true);
      } catch (ServiceException e) {
        throw explained(e, true, changes);
      } catch (Polling.Gone e) {
        throw explained(e.problem(), true, changes);
      }
    });
  }

  /** The result of what was submitted in a turn, with its error as it was. */
  private <T> CompletableFuture<T> flat(Callable<CompletableFuture<T>> work) {
    CompletableFuture<T> out = new CompletableFuture<>();
    turn(work, true).thenCompose(f -> f).whenComplete((result, e) -> {
      if (e == null) {
        out.complete(result);
      } else {
        out.completeExceptionally(e instanceof CompletionException ? e.getCause() : e);
      }
    });
    return out;
  }

  /** A result that is waited for elsewhere. */
  private <T> CompletableFuture<T> later(Supplier<T> result, boolean changes) {
    CompletableFuture<T> future = new CompletableFuture<>();
    owner.workers().polls().execute(() -> {
      try {
        future.complete(result.get());
      } catch (ServiceException e) {
        future.completeExceptionally(explained(e, false, changes));
      } catch (Polling.Gone e) {
        future.completeExceptionally(explained(e.problem(), false, changes));
      } catch (Throwable e) {
        future.completeExceptionally(e);
      }
    });
    return future;
  }

  /** A failure with how to go on, if it leaves unknown what the service did, or the service has lost the training. */
  private ServiceException explained(ServiceException e, boolean submitting, boolean changes) {
    int status = e.status();
    boolean lost = status == 404 || status == 410 || status == 0 || status >= 500
        || submitting && (status == 408 || status == 429);
    if (!lost || e.getMessage().contains(RESUME)) {
      return e;
    }
    broken |= changes;
    return new ServiceException(e.getMessage() + resumption(), status, e);
  }

  private String resumption() {
    return savedTo == null
        ? ". If the service restarted, the training is lost there, and no state of it was saved: begin anew, and save with "
            + "saveState now and then; " + RESUME + " goes on from there"
        : ". If the service restarted, go on from the state saved last, at step " + savedAt + ": " + RESUME + "(\""
            + savedTo + "\")";
  }

  private void samplerClosed() {
    boolean last;
    synchronized (this) {
      last = --samplers == 0 && !open;
    }
    if (last) {
      owner.unload(id);
    }
  }

  /** The model on the service goes when nothing samples from it: some services sample from the model itself. */
  @Override
  public void close() {
    boolean unused;
    synchronized (this) {
      if (!open) {
        return;
      }
      open = false;
      unused = samplers == 0;
    }
    model.forget(this);
    if (unused) {
      owner.unload(id);
    }
  }
}
