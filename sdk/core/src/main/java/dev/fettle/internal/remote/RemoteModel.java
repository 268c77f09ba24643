package dev.fettle.internal.remote;

import dev.fettle.DType;
import dev.fettle.FettleException;
import dev.fettle.InvalidInputException;
import dev.fettle.Renderer;
import dev.fettle.ServiceException;
import dev.fettle.Tokenizer;
import dev.fettle.Tuning;
import dev.fettle.UnsupportedModelException;
import dev.fettle.internal.ModelBackend;
import dev.fettle.internal.SamplerBackend;
import dev.fettle.internal.checkpoint.StoredType;
import dev.fettle.internal.model.Layout;
import dev.fettle.internal.model.ModelConfig;
import dev.fettle.internal.wire.Models;
import dev.fettle.internal.wire.Paths;
import dev.fettle.internal.wire.Weights;
import dev.fettle.internal.wire.WireException;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** A base model of a service. Nothing of it is here but its tokenizer and settings. */
final class RemoteModel implements ModelBackend {
  private final RemoteBackend owner;
  private final String name;
  private final ModelFacts facts;
  private final Set<AutoCloseable> dependants = ConcurrentHashMap.newKeySet();

  RemoteModel(RemoteBackend owner, String name, ModelFacts facts) {
    this.owner = owner;
    this.name = name;
    this.facts = facts;
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public DType dtype() {
    return facts.config().map(c -> c.storedType() == StoredType.F32 ? DType.F32 : DType.BF16).orElse(DType.BF16);
  }

  /** 0 where the model's settings cannot be had. */
  @Override
  public long parameters() {
    return facts.config().map(c -> Layout.of(c).parameters()).orElse(0L);
  }

  @Override
  public int vocabSize() {
    return facts.config().map(ModelConfig::vocabSize).orElseGet(() -> tokenizer().vocabSize());
  }

  @Override
  public int hiddenSize() {
    return facts.config().map(ModelConfig::hiddenSize).orElse(0);
  }

  @Override
  public int contextLength() {
    return facts.context().orElse(Integer.MAX_VALUE);
  }

  @Override
  public Tokenizer tokenizer() {
    return facts.tokenizer();
  }

  @Override
  public Renderer renderer() {
    return facts.renderer();
  }

  RemoteBackend owner() {
    return owner;
  }

  ModelFacts facts() {
    return facts;
  }

  RemoteCheck check() {
    Optional<ModelConfig> config = facts.config();
    return new RemoteCheck(config.map(c -> OptionalInt.of(c.vocabSize())).orElse(OptionalInt.empty()),
        facts.context());
  }

  @Override
  public RemoteTraining tune(Tuning tuning) {
    owner.workers().requireOpen();
    WireTuning wire = WireTuning.of(tuning, tuning instanceof dev.fettle.Lora ? facts.config() : Optional.empty());
    RemoteTraining training = new RemoteTraining(this, wire, create(wire));
    dependants.add(training);
    return training;
  }

  /** A training that goes on from a state on the service. */
  RemoteTraining resume(RemoteState state, boolean optimizer) {
    RemoteTraining training = new RemoteTraining(this, state, load(state, optimizer));
    dependants.add(training);
    return training;
  }

  /** Creates a model on the service and returns its id. */
  String create(WireTuning tuning) {
    RetryingClient calls = owner.calls();
    String id;
    try {
      Models.CreateModel request = Models.CreateModel.of(owner.session().id(), owner.session().nextModel(), name,
          owner.session().metadata(), tuning.config());
      PendingRequest promise = PendingRequest.submit(calls, ApiRequest.post(Paths.CREATE_MODEL, request, "create_model of " + name),
          "CreateModel");
      id = owner.polling().json(promise, Models.ModelResult.class).modelId();
      if (id == null) {
        throw calls.problems().strange(promise.what(), new WireException("no model_id"));
      }
    } catch (InvalidInputException | ServiceException e) {
      throw tuning.full() ? noFullTuning(e) : e;
    } catch (Polling.Gone e) {
      throw e.problem();
    }
    owner.created(id);
    info(id, tuning);
    return id;
  }

  private UnsupportedModelException noFullTuning(FettleException reason) {
    boolean refused = reason instanceof InvalidInputException
        || ((ServiceException) reason).status() != 401 && ((ServiceException) reason).status() != 403;
    if (!refused) {
      throw reason;
    }
    return new UnsupportedModelException("Full.all() of " + name + ": the service at " + owner.calls().problems().host()
        + " does not take rank 0, which stands for full fine-tuning; nothing was created. Train Lora there, or all "
        + "weights on this machine (Fettle.local()). It said: " + reason.getMessage(), reason);
  }

  /** Learns what the service says of a new model. */
  private void info(String id, WireTuning tuning) {
    RetryingClient calls = owner.calls();
    ApiRequest ask = ApiRequest.post(Paths.GET_INFO, Models.ModelRequest.getInfo(id), "get_info");
    ApiResponse answer = calls.send(ask).answer();
    if (!answer.ok()) {
      return;
    }
    Models.Info info = calls.read(answer, ask.what(), Models.Info.class);
    facts.tokenizerId(info.modelData() == null ? null : info.modelData().tokenizerId());
    if (tuning.full() && info.loraRank() != null && info.loraRank() > 0) {
      owner.unload(id);
      throw noFullTuning(new InvalidInputException("it made adapters of rank " + info.loraRank() + " instead"));
    }
  }

  /**
   * A model that holds a state.
   *
   * @param requests how many numbers of requests are used up
   */
  record Loaded(String id, int requests) {}

  /** A model of a state: in one call where the service offers that. */
  Loaded load(RemoteState state, boolean optimizer) {
    if (Boolean.TRUE.equals(owner.session().config().createModelViaLoadWeights())) {
      Optional<Loaded> loaded = inOneCall(state, optimizer);
      if (loaded.isPresent()) {
        return loaded.get();
      }
    }
    return new Loaded(loaded(state, optimizer), 1);
  }

  /** Empty where the service does not take the call after all. */
  private Optional<Loaded> inOneCall(RemoteState state, boolean optimizer) {
    RetryingClient calls = owner.calls();
    int number = owner.session().nextModel();
    ApiRequest ask = ApiRequest.post(Paths.LOAD_WEIGHTS, Weights.Load.intoNew(owner.session().id(), number, state.path(),
        optimizer, owner.session().metadata()), "load_weights of " + state.path());
    try {
      PendingRequest promise = PendingRequest.submit(calls, ask, "LoadWeights");
      owner.polling().json(promise, Weights.Result.class);
    } catch (InvalidInputException e) {
      return Optional.empty();
    } catch (ServiceException e) {
      if (e.status() == 404 || e.status() == 405) {
        return Optional.empty();
      }
      throw e;
    } catch (Polling.Gone e) {
      throw e.problem();
    }
    String id = Weights.Load.modelId(owner.session().id(), number);
    owner.created(id);
    info(id, state.tuning());
    return Optional.of(new Loaded(id, 0));
  }

  /**
   * Creates a model and loads a state into it. A service that does not recognise a repeated request would refuse it,
   * since something was loaded before: then a new model is made.
   */
  private String loaded(RemoteState state, boolean optimizer) {
    RetryingClient calls = owner.calls();
    for (int attempt = 0;; attempt++) {
      String id = create(state.tuning());
      ApiRequest ask = ApiRequest.post(Paths.LOAD_WEIGHTS, Weights.Load.of(id, 1, state.path(), optimizer),
          "load_weights of " + state.path());
      long start = System.nanoTime();
      try {
        RetryingClient.Reply reply = calls.send(ask);
        boolean refused = reply.repeated() && reply.answer().status() == 400;
        if (refused && attempt == 0) {
          owner.unload(id);
          continue;
        }
        if (!reply.answer().ok()) {
          throw calls.problems().of(reply.answer(), ask.what());
        }
        try {
          owner.polling().json(PendingRequest.of(calls, reply.answer(), ask.what(), "LoadWeights", start), Weights.Result.class);
        } catch (InvalidInputException e) {
          if (reply.repeated() && attempt == 0) {
            owner.unload(id);
            continue;
          }
          throw e;
        }
        return id;
      } catch (ServiceException e) {
        owner.unload(id);
        throw e.status() == 404 ? new ServiceException(e.getMessage() + ". The state was saved at " + state.host()
            + "; is it the same service, and the state not deleted?", 404, e) : e;
      } catch (Polling.Gone e) {
        throw e.problem();
      } catch (FettleException e) {
        owner.unload(id);
        throw e;
      }
    }
  }

  @Override
  public SamplerBackend sampler() {
    owner.workers().requireOpen();
    return sampler(owner.samplingSession(name, null), () -> { });
  }

  RemoteSampler sampler(String sessionId, Runnable closed) {
    RemoteSampler sampler = new RemoteSampler(this, sessionId, closed);
    dependants.add(sampler);
    return sampler;
  }

  void forget(AutoCloseable dependant) {
    dependants.remove(dependant);
  }

  @Override
  public void close() {
    for (AutoCloseable dependant : dependants) {
      try {
        dependant.close();
      } catch (Exception e) {
        throw new FettleException("closing " + dependant + " failed", e);
      }
    }
  }
}
