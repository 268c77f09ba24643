package dev.fettle.internal.remote;

import dev.fettle.DType;
import dev.fettle.InvalidInputException;
import dev.fettle.Quantisation;
import dev.fettle.Remote;
import dev.fettle.ServiceException;
import dev.fettle.UnsupportedModelException;
import dev.fettle.internal.Backend;
import dev.fettle.internal.ModelBackend;
import dev.fettle.internal.ProgressMeter;
import dev.fettle.internal.wire.Models;
import dev.fettle.internal.wire.Passes;
import dev.fettle.internal.wire.Paths;
import dev.fettle.internal.wire.Sampling;
import dev.fettle.internal.wire.Sessions;
import dev.fettle.internal.wire.Steps;
import dev.fettle.internal.wire.Weights;
import dev.fettle.internal.wire.WireException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;

/** A service that speaks the Tinker protocol. */
public final class RemoteBackend implements Backend {
  private static final long CLOSING_MILLIS = 3000;

  private final Map<String, String> env;
  private final Workers workers = new Workers();
  private final Http http;
  private final RetryingClient calls;
  private final Session session;
  private final PassSender sender;
  private final SeveralTargets severalTargets = new SeveralTargets();
  private final Snapshots snapshots;
  private final RemoteCheckpoints checkpoints;
  private final List<RemoteModel> models = new ArrayList<>();
  private final Set<String> loaded = ConcurrentHashMap.newKeySet();
  private final Set<CompletableFuture<Void>> unloading = ConcurrentHashMap.newKeySet();
  private Limits limits;
  private Polling polling;
  private SamplingThrottle gate;
  private ByteBudget dispatch;
  private final AtomicBoolean closed = new AtomicBoolean();

  /** A client; nothing is sent yet. */
  public RemoteBackend(Remote remote) {
    this(remote, RetryPolicy.standard(remote.deadline()), System.getenv());
  }

  RemoteBackend(Remote remote, RetryPolicy patience, Map<String, String> env) {
    this.env = env;
    Redactor secrets = new Redactor(remote.key());
    this.http = new Http(remote, patience);
    this.calls = new RetryingClient(http, new Auth(secrets), workers, patience, new ErrorMapper(http.host(), secrets));
    this.session = new Session(calls, remote.metadata());
    this.sender = new PassSender(calls);
    this.snapshots = new Snapshots(this);
    this.checkpoints = new RemoteCheckpoints(this);
  }

  /** How the service wants large batches. */
  record Limits(int chunkLength, long chunkBytes, boolean parallel) {}

  private synchronized void learn() {
    if (limits == null) {
      Sessions.Config c = session.config();
      limits = new Limits(or(c.fwdbwdMaxChunkLen(), 1024), or(c.fwdbwdMaxChunkBytesCount(), 5_000_000L),
          !Boolean.FALSE.equals(c.parallelFwdbwdChunks()));
      polling = new Polling(calls, or(c.inflightResponseBytesSemaphoreSize(), 52_428_800L));
      gate = new SamplingThrottle(calls, or(c.sampleMaxConcurrentRequests(), 2000),
          or(c.sampleDispatchBytesSemaphoreSize(), 10_485_760L));
      dispatch = new ByteBudget(or(c.fwdbwdDispatchBytesSemaphoreSize(), 50_000_000L));
    }
  }

  private static int or(Integer value, int otherwise) {
    return value == null || value < 1 ? otherwise : value;
  }

  private static long or(Long value, long otherwise) {
    return value == null || value < 1 ? otherwise : value;
  }

  @Override
  public ModelBackend load(String name, Optional<DType> type, Optional<Quantisation> quantisation, ProgressMeter meter) {
    if (quantisation.isPresent()) {
      throw new InvalidInputException("load(" + name + ", " + quantisation.get() + "): a service holds its models as it does; "
          + "weights are quantised on this machine, see Fettle.local()");
    }
    workers.requireOpen();
    type.ifPresent(t -> {
      throw new InvalidInputException("the compute type " + t + " of " + name + ": a service chooses it itself; leave it "
          + "out");
    });
    return model(name);
  }

  private RemoteModel model(String name) {
    learn();
    List<Sessions.SupportedModel> supported = supported();
    Sessions.SupportedModel chosen = supported.isEmpty() ? new Sessions.SupportedModel(name, null)
        : choose(name, supported);
    OptionalInt context = chosen.maxContextLength() == null ? OptionalInt.empty()
        : OptionalInt.of(chosen.maxContextLength());
    RemoteModel model = new RemoteModel(this, chosen.modelName(), new ModelFacts(chosen.modelName(), env, context));
    synchronized (this) {
      models.add(model);
    }
    return model;
  }

  /** The model of that name, or the only one whose last part is the same, such as of a path. */
  private Sessions.SupportedModel choose(String name, List<Sessions.SupportedModel> supported) {
    for (Sessions.SupportedModel model : supported) {
      if (name.equals(model.modelName())) {
        return model;
      }
    }
    List<Sessions.SupportedModel> similar =
        supported.stream().filter(m -> last(m.modelName()).equalsIgnoreCase(last(name))).toList();
    if (similar.size() == 1) {
      return similar.get(0);
    }
    List<String> names = supported.stream().map(Sessions.SupportedModel::modelName).toList();
    throw new InvalidInputException(name + ": the service at " + http.host() + " does not have this model; it has "
        + (names.size() > 30 ? names.subList(0, 30) + " and more" : names));
  }

  private static String last(String name) {
    String bare = name.replaceAll("[/\\\\]+$", "");
    return bare.substring(Math.max(bare.lastIndexOf('/'), bare.lastIndexOf('\\')) + 1);
  }

  /** What the service says it has; nothing if it does not say. */
  private List<Sessions.SupportedModel> supported() {
    ApiRequest ask = ApiRequest.get(Paths.CAPABILITIES, "get_server_capabilities");
    ApiResponse answer = calls.send(ask).answer();
    if (answer.status() == 404 || answer.status() == 405) {
      if (session.isUnknown()) {
        requireSessions(answer);
      }
      return List.of();
    }
    if (!answer.ok()) {
      throw calls.problems().of(answer, ask.what());
    }
    List<Sessions.SupportedModel> models = calls.read(answer, ask.what(), Sessions.Capabilities.class).supportedModels();
    return models == null ? List.of() : models.stream().filter(m -> m.modelName() != null).toList();
  }

  /** A service that says nothing of itself has sessions, or it is none. */
  private void requireSessions(ApiResponse answer) {
    try {
      session.id();
    } catch (ServiceException e) {
      throw e.status() == 404 || e.status() == 405 ? calls.problems().nothing(http.base(), answer) : e;
    }
  }

  @Override
  public ModelBackend initialise(Path directory, Optional<DType> type, Optional<Quantisation> quantisation, long seed) {
    throw new InvalidInputException("initialise(" + directory + "): a service trains its own models; random weights are for "
        + "this machine (Fettle.local())");
  }

  @Override
  public Resumed resume(Path directory, ProgressMeter meter) {
    workers.requireOpen();
    RemoteState state = directory.toString().startsWith("tinker:") ? onService(TinkerPath.parse(directory.toString()))
        : RemoteState.read(directory);
    RemoteModel model = model(state.model());
    return new Resumed(model, model.resume(state, true));
  }

  /** A state that only the service knows; of the training's steps and data it knows nothing. */
  private RemoteState onService(TinkerPath path) {
    session.config();
    Weights.Info info = calls.read(ApiRequest.post(Paths.WEIGHTS_INFO, new Weights.InfoRequest(path.toString()),
        "weights_info of " + path), Weights.Info.class);
    if (info.baseModel() == null) {
      throw calls.problems().strange("weights_info", new WireException("no base_model"));
    }
    Steps.OptimizerConfig optimizer = info.optimizerConfig();
    if (optimizer != null && optimizer.type() != null && !optimizer.equals(Steps.OptimizerConfig.ADAMW)) {
      throw new UnsupportedModelException(path + " was trained with the optimizer " + calls.problems().text(optimizer.type())
          + ", whose state AdamW cannot take over; Fettle has " + Steps.OptimizerConfig.ADAMW.type() + " alone");
    }
    int rank = Boolean.FALSE.equals(info.isLora()) || info.loraRank() == null ? 0 : info.loraRank();
    return new RemoteState(http.host(), path.toString(), info.baseModel(), RemoteState.tuning(rank, 0,
        !Boolean.FALSE.equals(info.trainAttn()), !Boolean.FALSE.equals(info.trainMlp())), 0, Optional.empty());
  }

  @Override
  public List<String> models() {
    session.config();
    return supported().stream().map(Sessions.SupportedModel::modelName).toList();
  }

  @Override
  public RemoteCheckpoints checkpoints() {
    return checkpoints;
  }

  /** A session that samples a base model, or a snapshot. */
  String samplingSession(String baseModel, String path) {
    learn();
    ApiRequest ask = ApiRequest.post(Paths.CREATE_SAMPLING_SESSION,
        Sampling.CreateSession.of(session.id(), session.nextSampler(), baseModel, path), "create_sampling_session");
    String id = calls.read(ask, Sampling.Session.class).samplingSessionId();
    if (id == null) {
      throw calls.problems().strange(ask.what(), new WireException("no sampling_session_id"));
    }
    return id;
  }

  /** Submits a pass; no more bytes of passes than the service wants are on their way at a time. */
  PendingRequest send(Passes.Pass pass) {
    long bytes = pass.data().stream().mapToLong(PassData::bytes).sum();
    dispatch.take(bytes);
    try {
      return sender.send(pass);
    } finally {
      dispatch.give(bytes);
    }
  }

  /** Lets the service forget a model; what becomes of it is not waited for, and no failure. */
  void unload(String model) {
    if (loaded.remove(model) && !workers.isClosed()) {
      CompletableFuture<Void> going = CompletableFuture.runAsync(() -> tryUnload(model), workers.submissions());
      unloading.add(going);
      going.whenComplete((none, e) -> unloading.remove(going));
    }
  }

  void created(String model) {
    loaded.add(model);
  }

  private void tryUnload(String model) {
    try {
      calls.once(ApiRequest.post(Paths.UNLOAD_MODEL, Models.ModelRequest.unload(model), "unload_model"));
    } catch (IOException | RuntimeException e) {
      // The service ends it with the session.
    }
  }

  RetryingClient calls() {
    return calls;
  }

  Workers workers() {
    return workers;
  }

  Session session() {
    return session;
  }

  PassSender sender() {
    return sender;
  }

  SeveralTargets severalTargets() {
    return severalTargets;
  }

  Snapshots snapshots() {
    return snapshots;
  }

  Limits limits() {
    learn();
    return limits;
  }

  Polling polling() {
    learn();
    return polling;
  }

  SamplingThrottle gate() {
    learn();
    return gate;
  }

  /** Open connections, for tests. */
  int connections() {
    return http.connections();
  }

  @Override
  public void close() {
    if (closed.getAndSet(true)) {
      return;
    }
    List.copyOf(loaded).forEach(this::unload);
    try {
      CompletableFuture.allOf(unloading.toArray(CompletableFuture[]::new))
          .thenRunAsync(session::finish, workers.submissions()).get(CLOSING_MILLIS, TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (ExecutionException | TimeoutException e) {
      // The service ends them with the session.
    }
    workers.close();
    http.close();
  }
}
