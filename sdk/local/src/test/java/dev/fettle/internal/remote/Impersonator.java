package dev.fettle.internal.remote;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.fettle.internal.HttpServers;
import dev.fettle.internal.json.JsonNode;
import dev.fettle.internal.json.ObjectNode;
import dev.fettle.internal.wire.OutputProto;
import dev.fettle.internal.wire.PassProto;
import dev.fettle.internal.wire.Passes;
import dev.fettle.internal.wire.Paths;
import dev.fettle.internal.wire.SampleProto;
import dev.fettle.internal.wire.Sampling;
import dev.fettle.internal.wire.TensorData;
import dev.fettle.internal.wire.WireJson;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadFactory;

/** Stands before a server of this project and makes of what it says and hears what another service would. */
public final class Impersonator implements AutoCloseable {
  /** Whom it takes after; what is computed is the server's. */
  public enum Service {
    /** SkyRL's server: other ids, two-part sampler paths, no metrics, errors of work as 400, its archives. */
    SKYRL,
    /** The hosted service when clients were at 0.25: protobuf alone, {@code try_again}, fields of today refused. */
    HOSTED_025,
    /** The hosted service for clients at 0.40: tokens for keys, all flags, much that is new in its answers. */
    HOSTED_040
  }

  private record Answer(int status, String type, byte[] body, Map<String, String> headers) {
    static Answer json(int status, Object message) {
      return new Answer(status, Paths.JSON, WireJson.write(message), Map.of());
    }
  }

  private static final Set<String> NEWER_THAN_025 = Set.of("optimizer_config", "optimizer_params",
      "topk_sample_logprobs", "prompt_alt_tokens_k", "prompt_logprobs_last_n", "target_prompt_logprobs", "loss_fn_config_v2");
  private static final Set<String> NEWER_PATHS = Set.of(Paths.FOLLOW, Paths.CANCEL, Paths.COPY_WEIGHTS,
      Paths.PREFIX + "join_sampling_session");
  private static final String JWT = "x." + Base64.getUrlEncoder().withoutPadding().encodeToString(("{\"sub\":\"me\",\"exp\":"
      + (Instant.now().getEpochSecond() + 3000) + "}").getBytes(StandardCharsets.UTF_8)) + ".y";

  private final Service service;
  private final URI target;
  private final String key;
  private final HttpServer server;
  private final HttpClient http = HttpClient.newHttpClient();
  private final Map<String, String> theirs = new ConcurrentHashMap<>();
  private final Map<String, String> ours = new ConcurrentHashMap<>();
  private final Map<String, String> paths = new ConcurrentHashMap<>();
  private final Map<String, byte[]> archives = new ConcurrentHashMap<>();
  private final List<String> asked = new CopyOnWriteArrayList<>();

  /** Stands before a server that wants a key. */
  public Impersonator(Service service, URI target, String key) throws IOException {
    this.service = service;
    this.target = target;
    this.key = key;
    ThreadFactory daemons = work -> {
      Thread thread = new Thread(work);
      thread.setDaemon(true);
      return thread;
    };
    server = HttpServers.listen(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
    server.createContext("/", this::handle);
    server.setExecutor(Executors.newCachedThreadPool(daemons));
    server.start();
  }

  /** Where clients find it. */
  public URI uri() {
    return URI.create("http://127.0.0.1:" + server.getAddress().getPort());
  }

  /** How often clients have asked for what is below a path. */
  long asked(String path) {
    return asked.stream().filter(path::equals).count();
  }

  @Override
  public void close() {
    server.stop(0);
  }

  private void handle(HttpExchange exchange) throws IOException {
    Answer answer;
    try {
      answer = answer(exchange);
    } catch (RuntimeException | InterruptedException e) {
      answer = Answer.json(599, Map.of("detail", "the impersonator failed: " + e));
    }
    try (exchange) {
      exchange.getResponseHeaders().set("Content-Type", answer.type);
      answer.headers.forEach(exchange.getResponseHeaders()::set);
      exchange.sendResponseHeaders(answer.status, answer.body.length == 0 ? -1 : answer.body.length);
      exchange.getResponseBody().write(answer.body);
    }
  }

  private Answer answer(HttpExchange exchange) throws IOException, InterruptedException {
    String path = exchange.getRequestURI().getPath().substring(1);
    byte[] body = exchange.getRequestBody().readAllBytes();
    asked.add(path);
    Map<String, String> headers = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
    exchange.getRequestHeaders().forEach((name, values) -> headers.put(name, values.get(0)));
    return switch (service) {
      case SKYRL -> skyrl(exchange.getRequestMethod(), path, headers, body);
      case HOSTED_025 -> hosted025(exchange.getRequestMethod(), path, headers, body);
      case HOSTED_040 -> hosted040(exchange.getRequestMethod(), path, headers, body);
    };
  }

  private Answer forward(String method, String path, Map<String, String> headers, byte[] body)
      throws IOException, InterruptedException {
    HttpRequest.Builder ask = HttpRequest.newBuilder(target.resolve("/" + path)).method(method, body.length == 0
        ? HttpRequest.BodyPublishers.noBody() : HttpRequest.BodyPublishers.ofByteArray(body)).header(Paths.API_KEY, key);
    for (String name : new String[] {"Content-Type", "Accept", Paths.IDEMPOTENCY_KEY}) {
      if (headers.get(name) != null) {
        ask.header(name, headers.get(name));
      }
    }
    HttpResponse<byte[]> r = http.send(ask.build(), HttpResponse.BodyHandlers.ofByteArray());
    return new Answer(r.statusCode(), r.headers().firstValue("Content-Type").orElse(Paths.JSON), r.body(),
        r.headers().firstValue("Location").map(l -> Map.of("Location", l)).orElse(Map.of()));
  }

  private static boolean protobuf(String type) {
    return type != null && type.contains(Paths.PROTOBUF);
  }

  private static Answer changed(Answer answer, java.util.function.Consumer<ObjectNode> change) {
    if (answer.status >= 300 || !answer.type.contains("json") || answer.body.length == 0) {
      return answer;
    }
    ObjectNode node = (ObjectNode) WireJson.tree(answer.body);
    change.accept(node);
    return new Answer(answer.status, answer.type, WireJson.write(node), answer.headers);
  }

  // What the hosted service is like.

  private Answer hosted025(String method, String path, Map<String, String> headers, byte[] body)
      throws IOException, InterruptedException {
    boolean pass = path.equals(Paths.FORWARD_BACKWARD);
    if (NEWER_PATHS.contains(path) || path.equals(Paths.FORWARD) || path.endsWith("/finish")) {
      return Answer.json(404, Map.of("detail", "Not Found"));
    } else if (path.equals(Paths.CLIENT_CONFIG)) {
      return Answer.json(200, Map.of("pjwt_auth_enabled", false, "fwdbwd_max_chunk_len", 1024));
    } else if (path.equals(Paths.DYNAMIC_CONFIG)) {
      return Answer.json(200, Map.of("refresh_interval_sec", 300));
    } else if (pass && !protobuf(headers.get("Content-Type"))) {
      return Answer.json(415, Map.of("detail", "protobuf only"));
    } else if (!pass && body.length > 0) {
      for (String name : WireJson.tree(body).propertyNames()) {
        if (NEWER_THAN_025.contains(name) || name.equals("user_metadata") && path.contains("/save_weights")
            || name.equals("model_seq_id") && path.equals(Paths.LOAD_WEIGHTS)) {
          return Answer.json(422, Map.of("detail", name + " is not known"));
        }
      }
    }
    Answer answer = changed(forward(method, path, headers, body), node -> {
      node.remove("sample_sequence_ids");
      node.remove("optimizer_config");
    });
    if (path.equals(Paths.RETRIEVE) && answer.status == 408) {
      return Answer.json(200, Map.of("type", "try_again", "request_id", "x", "queue_state", "active"));
    }
    return answer;
  }

  private Answer hosted040(String method, String path, Map<String, String> headers, byte[] body)
      throws IOException, InterruptedException {
    String given = headers.get(Paths.API_KEY);
    if (path.equals(Paths.CLIENT_CONFIG)) {
      return Answer.json(200, Map.of("pjwt_auth_enabled", true, "sample_use_retrieve_futures", true,
          "sample_join_sampling_session", true, "create_model_via_load_weights", true, "proto_compress_fwdbwd", true,
          "fwdbwd_max_chunk_len", 400, "a_flag_of_tomorrow", Map.of("x", 1)));
    } else if (path.equals(Paths.TOKEN)) {
      return given.equals(key) ? Answer.json(200, Map.of("jwt", JWT)) : Answer.json(401, Map.of("detail", "key"));
    } else if (!JWT.equals(given)) {
      return Answer.json(401, Map.of("detail", "a token, please"));
    }
    Answer answer = forward(method, path, headers, body);
    return changed(answer, node -> node.put("new_in_040", "something").putObject("more").put("x", 1));
  }

  // What SkyRL is like.

  private Answer skyrl(String method, String path, Map<String, String> headers, byte[] body)
      throws IOException, InterruptedException {
    if (path.equals(Paths.CLIENT_CONFIG)) {
      return Answer.json(200, Map.of("pjwt_auth_enabled", false));
    } else if (NEWER_PATHS.contains(path) || path.equals(Paths.DYNAMIC_CONFIG) || path.equals(Paths.CHECKPOINTS) || path.startsWith(Paths.SESSIONS)
        || path.endsWith("/publish")) {
      return Answer.json(404, Map.of("detail", "Not Found"));
    } else if (path.endsWith("/ttl")) {
      return Answer.json(405, Map.of("detail", "Method Not Allowed"));
    } else if (path.startsWith("download/")) {
      return new Answer(200, "application/octet-stream", archives.get(path), Map.of());
    }
    String real = translated(path, ours);
    if (method.equals("DELETE") && real.contains("/weights/") && paths.containsKey(last(real))) {
      real = real.replace("/weights/", "/sampler_weights/");
    }
    if (path.endsWith("/archive")) {
      return archive(path, real);
    }
    byte[] sent = protobuf(headers.get("Content-Type")) ? PassProto.write(renamed(PassProto.read(body)))
        : translated(new String(body, StandardCharsets.UTF_8), ours).getBytes(StandardCharsets.UTF_8);
    return spoken(path, forward(method, real, headers, sent));
  }

  private Passes.Pass renamed(Passes.Pass pass) {
    return new Passes.Pass(ours.getOrDefault(pass.modelId(), pass.modelId()), pass.seqId(), pass.data(), pass.lossFn(),
        pass.lossFnConfig(), pass.forwardOnly());
  }

  private Answer spoken(String path, Answer answer) {
    if (protobuf(answer.type)) {
      byte[] bytes;
      try {
        bytes = OutputProto.write(new Passes.Output("scalar", OutputProto.read(answer.body).lossFnOutputs().stream()
            .map(Impersonator::rows).toList(), Map.of()));
        if (OutputProto.read(answer.body).lossFnOutputs().get(0).get("logprobs") == null) {
          throw new IndexOutOfBoundsException();
        }
      } catch (RuntimeException aSample) {
        bytes = SampleProto.write(withoutTheFirst(SampleProto.read(answer.body)));
      }
      return new Answer(200, answer.type, bytes, Map.of());
    }
    JsonNode node = answer.type.contains("json") && answer.body.length > 0 ? WireJson.tree(answer.body) : null;
    if (answer.status == 408) {
      return Answer.json(408, Map.of("detail", "Timeout waiting for result"));
    } else if (node != null && path.equals(Paths.RETRIEVE) && node.get("error") != null) {
      return Answer.json(400, Map.of("detail", node.get("error").asString()));
    }
    Answer changed = changed(answer, n -> {
      n.remove("sample_sequence_ids");
      n.remove("warning_message");
      if (n.get("metrics") instanceof ObjectNode metrics && metrics.get("grad_norm") != null) {
        metrics.set("skyrl.ai/grad_norm", metrics.remove("grad_norm"));
      }
      shorten(n);
    });
    String text = new String(changed.body, StandardCharsets.UTF_8);
    return new Answer(changed.status, changed.type, withTheirIds(text).getBytes(StandardCharsets.UTF_8), Map.of());
  }

  /** A matrix of targets is read as one row, and cut to the positions that there are. */
  private static Map<String, TensorData> rows(Map<String, TensorData> outputs) {
    TensorData values = outputs.get("logprobs");
    return values == null || values.isRow() ? outputs
        : Map.of("logprobs", TensorData.of(Arrays.copyOf(values.asFloats(), (int) values.shape()[0])));
  }

  private static Sampling.Result withoutTheFirst(Sampling.Result r) {
    return new Sampling.Result(r.sequences(), r.promptLogprobs() == null ? null
        : r.promptLogprobs().subList(1, r.promptLogprobs().size()));
  }

  /** Paths of what can be sampled have two parts. */
  private void shorten(ObjectNode node) {
    JsonNode path = node.get("path");
    if (path != null && path.isString() && path.asString().contains("/sampler_weights/")) {
      paths.put(last(path.asString()), path.asString());
      node.put("path", path.asString().replace("/sampler_weights/", "/"));
    }
  }

  private static String last(String path) {
    return path.substring(path.lastIndexOf('/') + 1);
  }

  private String withTheirIds(String text) {
    java.util.regex.Matcher ids = java.util.regex.Pattern.compile("s[0-9a-f]{16}(:(train|sample):\\d+)?").matcher(text);
    return ids.replaceAll(m -> theirs.computeIfAbsent(m.group(), id -> {
      String other = (m.group(2) == null ? "session_" : m.group(2).equals("train") ? "model_" : "sampling_")
          + Integer.toHexString(theirs.size() + 0x1000000);
      ours.put(other, id);
      return other;
    }));
  }

  private String translated(String text, Map<String, String> names) {
    String out = text;
    for (Map.Entry<String, String> name : names.entrySet()) {
      out = out.replace(name.getKey(), name.getValue());
    }
    for (Map.Entry<String, String> path : paths.entrySet()) {
      out = out.replace(path.getValue().replace("/sampler_weights/", "/"), path.getValue());
    }
    return out;
  }

  /** Known by the bare name alone; packed anew with the root as first member and settings that name no modules. */
  private Answer archive(String path, String real) throws IOException, InterruptedException {
    String[] parts = path.split("/");
    if (parts.length != 7) {
      return Answer.json(405, Map.of("detail", "Method Not Allowed"));
    }
    String kind = real.replace("/checkpoints/", "/checkpoints/sampler_weights/");
    Answer found = forward("GET", kind, Map.of(), new byte[0]);
    if (found.status != 302) {
      return found;
    }
    byte[] tar = forward("GET", URI.create(found.headers.get("Location")).getPath().substring(1), Map.of(), new byte[0]).body;
    archives.put("download/" + parts[5], Archives.likeSkyRl(tar));
    return new Answer(302, Paths.JSON, new byte[0], Map.of("Location", uri() + "/download/" + parts[5]));
  }
}
