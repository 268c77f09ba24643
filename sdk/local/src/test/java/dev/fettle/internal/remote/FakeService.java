package dev.fettle.internal.remote;

import dev.fettle.Remote;
import dev.fettle.internal.wire.Checkpoints;
import dev.fettle.internal.wire.Models;
import dev.fettle.internal.wire.OutputProto;
import dev.fettle.internal.wire.PassProto;
import dev.fettle.internal.wire.Passes;
import dev.fettle.internal.wire.Paths;
import dev.fettle.internal.wire.RequestFutures;
import dev.fettle.internal.wire.SampleProto;
import dev.fettle.internal.wire.Sampling;
import dev.fettle.internal.wire.Sessions;
import dev.fettle.internal.wire.Steps;
import dev.fettle.internal.wire.TensorData;
import dev.fettle.internal.wire.Weights;
import dev.fettle.internal.wire.WireException;
import dev.fettle.internal.wire.WireJson;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.function.Predicate;
import javax.net.ServerSocketFactory;
import mockwebserver3.Dispatcher;
import mockwebserver3.MockResponse;
import mockwebserver3.MockWebServer;
import mockwebserver3.RecordedRequest;
import mockwebserver3.SocketEffect;
import okio.Buffer;

/**
 * A service that speaks the protocol and computes next to nothing: the logprob of every target is -0.1 less 0.01 a step.
 * It counts what took effect, and does wrong what a test tells it to.
 */
final class FakeService extends Dispatcher {
  /** How real services differ. */
  enum Kind {
    /** Takes protobuf only, says try_again, knows repeated requests by their numbers. */
    HOSTED,
    /** Takes both, lets polls end with 408, numbers requests, repeats saves and loads that are sent again. */
    SKYRL,
    /** Takes JSON only. */
    JSON
  }

  /** A model. */
  static final class Model {
    final String id;
    final Models.LoraConfig config;
    final Map<Integer, String> requests = new TreeMap<>();
    final List<String> order = new CopyOnWriteArrayList<>();
    volatile int passes;
    volatile int data;
    volatile int steps;
    volatile int loads;
    volatile boolean unloaded;

    Model(String id, Models.LoraConfig config) {
      this.id = id;
      this.config = config;
    }
  }

  /** MockWebServer sends head and body apart; without this each answer would wait for an acknowledgement. */
  private static final ServerSocketFactory PROMPT = new ServerSocketFactory() {
    @Override
    public ServerSocket createServerSocket() throws IOException {
      return new ServerSocket() {
        @Override
        public Socket accept() throws IOException {
          Socket socket = super.accept();
          socket.setTcpNoDelay(true);
          return socket;
        }
      };
    }

    @Override
    public ServerSocket createServerSocket(int port) {
      throw new UnsupportedOperationException();
    }

    @Override
    public ServerSocket createServerSocket(int port, int backlog) {
      throw new UnsupportedOperationException();
    }

    @Override
    public ServerSocket createServerSocket(int port, int backlog, InetAddress address) {
      throw new UnsupportedOperationException();
    }
  };

  private record Done(byte[] json, byte[] proto) {}

  private final MockWebServer server = new MockWebServer();
  private final Kind kind;
  private final AtomicInteger numbers = new AtomicInteger();
  private final Map<String, Done> results = new ConcurrentHashMap<>();
  private final Map<String, String> samplesByNumber = new ConcurrentHashMap<>();
  private final ConcurrentLinkedQueue<Rule> rules = new ConcurrentLinkedQueue<>();
  final Map<String, Model> models = new ConcurrentHashMap<>();
  final Map<String, Integer> saved = new ConcurrentHashMap<>();
  final List<RecordedRequest> requests = new CopyOnWriteArrayList<>();
  final AtomicInteger sessions = new AtomicInteger();
  final AtomicInteger beats = new AtomicInteger();
  final AtomicInteger samplers = new AtomicInteger();
  final AtomicInteger samples = new AtomicInteger();
  volatile Sessions.Config config = Sessions.Config.defaults();
  volatile boolean full;
  volatile byte[] archive;

  private static final class Rule {
    private final Predicate<RecordedRequest> when;
    private final Function<MockResponse, MockResponse> then;
    private final boolean acts;
    private int times;

    Rule(Predicate<RecordedRequest> when, Function<MockResponse, MockResponse> then, boolean acts, int times) {
      this.when = when;
      this.then = then;
      this.acts = acts;
      this.times = times;
    }
  }

  FakeService(Kind kind) {
    this.kind = kind;
    server.setDispatcher(this);
    server.setServerSocketFactory(PROMPT);
    try {
      server.start();
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  URI uri() {
    return URI.create("http://localhost:" + server.getPort());
  }

  /** A client that does not wait long for anything. */
  RemoteBackend client() {
    return client(Remote.at(uri()).key(() -> "tml-secret-key"));
  }

  static RemoteBackend client(Remote remote) {
    return new RemoteBackend(remote, patience(Duration.ofMinutes(1)), Map.of("HF_HUB_OFFLINE", "1"));
  }

  static RetryPolicy patience(Duration deadline) {
    return new RetryPolicy(Duration.ofSeconds(2), Duration.ofSeconds(5), Duration.ofSeconds(5), 2, Duration.ofMillis(500),
        Duration.ofMillis(1500), Duration.ofMillis(20), deadline);
  }

  @Override
  public void close() {
    server.close();
  }

  /** Answers so many requests of a path instead of acting on them. */
  void instead(String path, int times, int status, String body, String... headers) {
    rules.add(new Rule(on(path), r -> {
      MockResponse.Builder b = new MockResponse.Builder().code(status).body(body);
      for (int i = 0; i < headers.length; i += 2) {
        b.setHeader(headers[i], headers[i + 1]);
      }
      return b.build();
    }, false, times));
  }

  /** Acts on so many requests of a path, and cuts the connection instead of answering. */
  void cutAfter(String path, int times) {
    rules.add(new Rule(on(path), r -> r.newBuilder().onResponseStart(new SocketEffect.CloseSocket()).build(), true, times));
  }

  /** Cuts the connection before anything was done. */
  void cutBefore(String path, int times) {
    rules.add(new Rule(on(path), r -> new MockResponse.Builder().onResponseStart(new SocketEffect.CloseSocket()).build(),
        false, times));
  }

  /** Acts, and cuts the connection in the middle of the answer. */
  void halfAnswer(String path, int times) {
    rules.add(new Rule(on(path), r -> r.newBuilder().onResponseBody(new SocketEffect.CloseSocket()).build(), true, times));
  }

  /** Changes the answers. */
  void change(String path, int times, Function<MockResponse, MockResponse> change) {
    rules.add(new Rule(on(path), change, true, times));
  }

  private static Predicate<RecordedRequest> on(String path) {
    return request -> request.getUrl().encodedPath().equals("/" + path);
  }

  /** Whether all that was to go wrong has gone wrong. */
  boolean faultsAreUsedUp() {
    synchronized (rules) {
      return rules.stream().allMatch(r -> r.times == 0);
    }
  }

  List<RecordedRequest> requests(String path) {
    return requests.stream().filter(on(path)).toList();
  }

  /** The only model. */
  Model model() {
    if (models.size() != 1) {
      throw new IllegalStateException(models.keySet().toString());
    }
    return models.values().iterator().next();
  }

  /** Forgets all that is not saved. */
  void restart() {
    models.clear();
    results.clear();
  }

  @Override
  public MockResponse dispatch(RecordedRequest request) {
    requests.add(request);
    Rule rule = null;
    synchronized (rules) {
      for (Rule r : rules) {
        if (r.times > 0 && r.when.test(request)) {
          r.times--;
          rule = r;
          break;
        }
      }
    }
    if (rule != null && !rule.acts) {
      return rule.then.apply(null);
    }
    MockResponse response;
    try {
      response = act(request);
    } catch (WireException e) {
      response = problem(422, e.getMessage());
    }
    return rule == null ? response : rule.then.apply(response);
  }

  private MockResponse act(RecordedRequest request) {
    byte[] body = request.getBody() == null ? new byte[0] : request.getBody().toByteArray();
    String path = request.getUrl().encodedPath().substring(1);
    return switch (path) {
      case Paths.CLIENT_CONFIG -> json(config);
      case Paths.CAPABILITIES -> json(new Sessions.Capabilities(List.of(new Sessions.SupportedModel("fettle-tiny", 512))));
      case Paths.CREATE_SESSION -> json(Sessions.Session.of("session" + sessions.incrementAndGet()));
      case Paths.HEARTBEAT -> {
        beats.incrementAndGet();
        yield json(new Sessions.Typed("session_heartbeat"));
      }
      case Paths.CREATE_MODEL -> createModel(WireJson.read(body, Models.CreateModel.class));
      case Paths.GET_INFO -> {
        Model model = models.get(WireJson.read(body, Models.ModelRequest.class).modelId());
        yield model == null ? problem(404, "no such model") : json(new Models.Info("get_info", model.id,
            new Models.ModelData(null, "fettle-tiny", "fettle-tiny"), true, null, "fettle-tiny"));
      }
      case Paths.UNLOAD_MODEL -> {
        Model model = models.get(WireJson.read(body, Models.ModelRequest.class).modelId());
        if (model != null) {
          model.unloaded = true;
        }
        yield promise(new Models.ModelResult("", "unload_model"), null);
      }
      case Paths.FORWARD_BACKWARD -> pass(request, body);
      case Paths.FORWARD -> kind == Kind.HOSTED ? problem(404, "Not Found") : pass(Passes.Pass.forward(body));
      case Paths.OPTIM_STEP -> {
        Steps.OptimStep step = WireJson.read(body, Steps.OptimStep.class);
        yield numbered(step.modelId(), step.seqId(), true, "step", model -> {
          model.steps++;
          return new Done(WireJson.write(new Steps.OptimResult(Map.of("skyrl.ai/grad_norm", 0.5))), null);
        });
      }
      case Paths.SAVE_WEIGHTS -> save(WireJson.read(body, Weights.Save.class));
      case Paths.LOAD_WEIGHTS -> WireJson.read(body, Weights.Load.class).modelId() == null ? problem(422, "no model_id")
          : load(WireJson.read(body, Weights.Load.class));
      case Paths.SAVE_FOR_SAMPLER -> saveForSampler(WireJson.read(body, Weights.SaveForSampler.class));
      case Paths.CREATE_SAMPLING_SESSION -> {
        WireJson.read(body, Sampling.CreateSession.class);
        yield json(Sampling.Session.of("sampling" + samplers.incrementAndGet()));
      }
      case Paths.SAMPLE -> sample(WireJson.read(body, Sampling.Sample.class));
      case Paths.RETRIEVE -> retrieve(request, WireJson.read(body, RequestFutures.Retrieve.class));
      case Paths.WEIGHTS_INFO -> json(new Weights.Info("fettle-tiny", true, 8, false, true, true, null));
      case Paths.CHECKPOINTS -> kind == Kind.HOSTED ? json(list("")) : problem(404, "Not Found");
      case Paths.TRAINING_RUNS -> json(new Checkpoints.TrainingRuns(models.keySet().stream().map(m ->
          new Checkpoints.TrainingRun(m, "fettle-tiny", null, true, false, 8, null, null, null, null)).toList(), null));
      default -> other(request, path);
    };
  }

  private MockResponse other(RecordedRequest request, String path) {
    String runs = Paths.TRAINING_RUNS + "/";
    if (path.endsWith("/finish") && kind == Kind.HOSTED) {
      return json(new Sessions.Health("ok"));
    }
    if (path.startsWith("download/") && archive != null) {
      return bytes(archive, "application/octet-stream");
    }
    if (!path.startsWith(runs)) {
      return problem(404, "Not Found");
    }
    String[] parts = path.substring(runs.length()).split("/");
    if (parts.length == 1) {
      return json(new Checkpoints.TrainingRun(parts[0], "fettle-tiny", null, true, false, 8, null, null, null, null));
    }
    if (parts.length == 2) {
      return json(list(parts[0]));
    }
    String last = parts[parts.length - 1];
    if (request.getMethod().equals("DELETE")) {
      String key = Paths.TINKER + parts[0] + "/" + (kind == Kind.SKYRL && parts[2].equals("sampler_weights") ? ""
          : parts[2] + "/") + last;
      return saved.remove(key) == null ? problem(404, "no such checkpoint") : new MockResponse.Builder().code(204).build();
    }
    if (last.equals("archive")) {
      boolean bare = parts.length == 4;
      return bare != (kind == Kind.SKYRL) ? problem(404, "no such checkpoint") : new MockResponse.Builder().code(302)
          .setHeader("Location", uri() + "/download/" + parts[parts.length - 2]).build();
    }
    return last.equals("ttl") && kind == Kind.HOSTED ? new MockResponse.Builder().code(200).build()
        : problem(404, "Not Found");
  }

  private Checkpoints.CheckpointList list(String run) {
    List<Checkpoints.Checkpoint> out = new ArrayList<>();
    saved.keySet().stream().filter(p -> p.contains(run)).sorted().forEach(p -> out.add(new Checkpoints.Checkpoint(
        p.substring(p.lastIndexOf('/') + 1), p.contains("/weights/") ? "training" : "sampler",
        kind == Kind.HOSTED ? "2026-11-24T10:00:00Z" : "2026-11-24T10:00:00.5", p, 5L, false, null,
        null, null)));
    return new Checkpoints.CheckpointList(out, null);
  }

  private synchronized MockResponse createModel(Models.CreateModel request) {
    if (request.loraConfig().rank() == 0 && !full) {
      return problem(kind == Kind.HOSTED ? 400 : 422, "rank must be positive");
    }
    String id = kind == Kind.HOSTED ? request.sessionId() + ":train:" + request.modelSeqId()
        : "model_" + numbers.incrementAndGet();
    models.computeIfAbsent(id, m -> new Model(m, request.loraConfig()));
    return promise(Models.ModelResult.created(id), null);
  }

  private MockResponse pass(RecordedRequest request, byte[] body) {
    boolean protobuf = String.valueOf(request.getHeaders().get("Content-Type")).contains(Paths.PROTOBUF);
    if (protobuf == (kind == Kind.JSON) && kind != Kind.SKYRL) {
      return problem(kind == Kind.JSON ? 415 : 422, "wrong content type");
    }
    return pass(protobuf ? PassProto.read(body) : Passes.Pass.forwardBackward(body));
  }

  private MockResponse pass(Passes.Pass pass) {
    return numbered(pass.modelId(), pass.seqId(), true, (pass.forwardOnly() ? "forward " : "pass ") + pass.seqId(), model -> {
      if (!pass.forwardOnly()) {
        model.passes++;
        model.data += pass.data().size();
      }
      List<Map<String, TensorData>> outputs = new ArrayList<>();
      double sum = 0;
      for (Passes.Datum datum : pass.data()) {
        float[] logprobs = new float[datum.modelInput().tokens().length];
        Arrays.fill(logprobs, -0.1f - 0.01f * model.steps);
        outputs.add(Map.of("logprobs", TensorData.of(logprobs)));
        TensorData weights = datum.lossFnInputs().get("weights");
        for (int i = 0; i < logprobs.length; i++) {
          sum -= (double) logprobs[i] * (weights == null ? 1 : weights.floats()[i]);
        }
      }
      Map<String, Double> metrics = new HashMap<>();
      if (kind == Kind.HOSTED) {
        metrics.put("loss:sum", sum);
      }
      Passes.Output output = new Passes.Output("TorchLossReturn", outputs, metrics);
      return new Done(WireJson.write(output), OutputProto.write(output));
    });
  }

  /** Work of a training, done once for each number where the service knows them. */
  private synchronized MockResponse numbered(String id, Integer number, boolean known, String what,
      Function<Model, Done> work) {
    Model model = models.get(id);
    if (model == null) {
      return problem(404, "Model " + id + " not found");
    }
    String before = known || kind == Kind.HOSTED ? model.requests.get(number) : null;
    if (before == null) {
      model.order.add(what);
      before = String.valueOf(numbers.incrementAndGet());
      results.put(before, work.apply(model));
      model.requests.put(number, before);
    }
    return json(RequestFutures.Submitted.of(before, null));
  }

  private MockResponse save(Weights.Save save) {
    String path = Paths.TINKER + save.modelId() + "/weights/" + save.path();
    Model model = models.get(save.modelId());
    boolean again = kind == Kind.HOSTED && model != null && model.requests.containsKey(save.seqId());
    if (saved.containsKey(path) && !again) {
      return problem(409, "checkpoint exists");
    }
    return numbered(save.modelId(), save.seqId(), false, "save", m -> {
      saved.put(path, m.steps);
      return new Done(WireJson.write(Weights.Result.saved(path)), null);
    });
  }

  private MockResponse load(Weights.Load load) {
    Model model = models.get(load.modelId());
    boolean again = kind == Kind.HOSTED && model != null && model.requests.containsKey(load.seqId());
    if (!saved.containsKey(load.path())) {
      return problem(404, "no such checkpoint");
    }
    if (model != null && !model.requests.isEmpty() && !again) {
      return problem(400, "LoadWeights is not permitted with seq_id " + load.seqId());
    }
    return numbered(load.modelId(), load.seqId(), false, "load", m -> {
      m.steps = saved.get(load.path());
      m.loads++;
      return new Done(WireJson.write(Weights.Result.loaded(load.path(), m.id)), null);
    });
  }

  private MockResponse saveForSampler(Weights.SaveForSampler save) {
    return numbered(save.modelId(), save.seqId(), false, "sampler", m -> {
      if (save.path() == null) {
        return new Done(WireJson.write(Weights.SamplerResult.of(null, "sampling" + samplers.incrementAndGet())), null);
      }
      String path = Paths.TINKER + save.modelId() + (kind == Kind.SKYRL ? "/" : "/sampler_weights/") + save.path();
      saved.put(path, m.steps);
      return new Done(WireJson.write(Weights.SamplerResult.of(path, null)), null);
    });
  }

  private synchronized MockResponse sample(Sampling.Sample sample) {
    String key = sample.samplingSessionId() + " " + sample.seqId();
    String before = kind == Kind.HOSTED ? samplesByNumber.get(key) : null;
    if (before == null) {
      samples.incrementAndGet();
      before = String.valueOf(numbers.incrementAndGet());
      samplesByNumber.put(key, before);
      int[] prompt = sample.prompt().tokens();
      int length = sample.samplingParams().maxTokens();
      int[] tokens = new int[length];
      float[] logprobs = new float[length];
      Arrays.fill(tokens, 60 + prompt.length);
      Arrays.fill(logprobs, -0.5f);
      List<Sampling.Sequence> sequences = new ArrayList<>();
      for (int i = 0; i < sample.numSamples(); i++) {
        sequences.add(new Sampling.Sequence("length", tokens, logprobs));
      }
      Float[] scores = new Float[prompt.length];
      for (int i = 1; i < scores.length; i++) {
        scores[i] = -0.25f * i;
      }
      List<Float> all = Arrays.asList(scores);
      Sampling.Result result = new Sampling.Result(sequences, !sample.promptLogprobs() ? null
          : kind == Kind.SKYRL ? all.subList(1, all.size()) : all);
      results.put(before, new Done(WireJson.write(result), SampleProto.write(result)));
    }
    return json(RequestFutures.Submitted.of(before, null));
  }

  private MockResponse retrieve(RecordedRequest request, RequestFutures.Retrieve retrieve) {
    Done done = results.get(retrieve.requestId());
    if (done == null) {
      return problem(404, "unknown request");
    }
    boolean protobuf = String.valueOf(request.getHeaders().get("Accept")).contains(Paths.PROTOBUF);
    return done.proto != null && protobuf && kind != Kind.JSON ? bytes(done.proto, Paths.PROTOBUF)
        : bytes(done.json, Paths.JSON);
  }

  private MockResponse promise(Object result, byte[] proto) {
    String id = String.valueOf(numbers.incrementAndGet());
    results.put(id, new Done(WireJson.write(result), proto));
    return json(RequestFutures.Submitted.of(id, null));
  }

  static MockResponse json(Object message) {
    return bytes(WireJson.write(message), Paths.JSON);
  }

  static MockResponse bytes(byte[] bytes, String type) {
    return new MockResponse.Builder().code(200).setHeader("Content-Type", type).body(new Buffer().write(bytes)).build();
  }

  static MockResponse problem(int status, String detail) {
    return bytes(WireJson.write(Map.of("detail", detail)), Paths.JSON).newBuilder().code(status).build();
  }

  static String text(RecordedRequest request) {
    return request.getBody() == null ? "" : new String(request.getBody().toByteArray(), StandardCharsets.UTF_8);
  }
}
