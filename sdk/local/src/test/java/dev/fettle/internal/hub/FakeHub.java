package dev.fettle.internal.hub;

import dev.fettle.internal.checkpoint.EmbeddedModel;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import mockwebserver3.Dispatcher;
import mockwebserver3.MockResponse;
import mockwebserver3.MockWebServer;
import mockwebserver3.RecordedRequest;
import okhttp3.HttpUrl;
import okio.Buffer;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * A hub on real sockets: repositories at commits, small files behind a redirect within the host, large ones behind a
 * redirect to the storage, which is another host, and understands ranges. Registered as an extension, it closes after the
 * test.
 */
public final class FakeHub implements AutoCloseable, AfterEachCallback {
  public static final String FIRST = "1".repeat(40);
  public static final String SECOND = "2".repeat(40);
  public static final String TOKEN = "hf_verySecretToken";

  /** A request as a server saw it. */
  public record Seen(String method, String path, Map<String, String> headers) {
    @Override
    public String toString() {
      return method + " " + path + headers;
    }
  }

  public final List<Seen> hub = new CopyOnWriteArrayList<>();
  public final List<Seen> storage = new CopyOnWriteArrayList<>();
  /** What becomes of the next answers of the storage to a GET; a null passes. */
  public final ConcurrentLinkedQueue<UnaryOperator<MockResponse>> faults = new ConcurrentLinkedQueue<>();
  /** What becomes of the next answers of the hub to a HEAD. */
  public final ConcurrentLinkedQueue<UnaryOperator<MockResponse>> hubFaults = new ConcurrentLinkedQueue<>();
  /** What becomes of the next lists of files. */
  public final ConcurrentLinkedQueue<UnaryOperator<MockResponse>> listingFaults = new ConcurrentLinkedQueue<>();
  /** Repositories that have another name now. */
  public final Map<String, String> movedTo = new ConcurrentHashMap<>();
  private final MockWebServer hubServer = new MockWebServer();
  private final MockWebServer storageServer = new MockWebServer();
  private final Map<String, Map<String, byte[]>> commits = new ConcurrentHashMap<>();
  private final Map<String, String> branches = new ConcurrentHashMap<>();
  private final Map<String, byte[]> large = new ConcurrentHashMap<>();
  public volatile boolean gated;
  /** Whether it tells how an error is meant, as the hub does and mirrors may not. */
  public volatile boolean explains = true;

  /** One that has {@code org/model}, the model within the library. */
  public static FakeHub withModel() {
    try {
      FakeHub hub = new FakeHub();
      hub.commit("org/model", FIRST, tiny());
      return hub;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private FakeHub() throws IOException {
    storageServer.setDispatcher(dispatcher(this::store));
    hubServer.setDispatcher(dispatcher(this::serve));
    storageServer.start();
    hubServer.start();
  }

  private interface Answers {
    MockResponse to(RecordedRequest request) throws Exception;
  }

  private static Dispatcher dispatcher(Answers answers) {
    return new Dispatcher() {
      @Override
      public MockResponse dispatch(RecordedRequest request) {
        try {
          return answers.to(request);
        } catch (Exception e) {
          return new MockResponse.Builder().code(500).body(e.toString()).build();
        }
      }
    };
  }

  public void commit(String repository, String commit, Map<String, byte[]> files) {
    commits.put(repository + "@" + commit, files);
    branches.put(repository + "@main", commit);
  }

  public void branch(String repository, String branch, String commit) {
    branches.put(repository + "@" + branch, commit);
  }

  /** The files of the model within the library. */
  public static Map<String, byte[]> tiny() throws IOException {
    Map<String, byte[]> files = new LinkedHashMap<>();
    for (String name : List.of("config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json",
        "model.safetensors")) {
      files.put(name, Files.readAllBytes(EmbeddedModel.directory().resolve(name)));
    }
    return files;
  }

  /** Files of which only the settings can be read: two megabytes of weights in two shards. */
  public static Map<String, byte[]> sharded() throws IOException {
    Map<String, byte[]> files = tiny();
    files.remove("model.safetensors");
    for (int i = 1; i <= 2; i++) {
      byte[] bytes = new byte[1_000_000 + i];
      new Random(i).nextBytes(bytes);
      files.put("model-0000" + i + "-of-00002.safetensors", bytes);
    }
    files.put("model.safetensors.index.json", ("{\"weight_map\":{\"a\":\"model-00001-of-00002.safetensors\","
        + "\"b\":\"model-00002-of-00002.safetensors\"}}").getBytes(StandardCharsets.UTF_8));
    return files;
  }

  public Map<String, String> env(Path home) {
    Map<String, String> env = new HashMap<>();
    env.put("HF_HOME", home.toString());
    env.put("HF_ENDPOINT", url());
    env.put("HF_TOKEN", TOKEN);
    return env;
  }

  /** Not the name that the storage has. */
  public String url() {
    return "http://localhost:" + hubServer.getPort();
  }

  private MockResponse serve(RecordedRequest request) throws Exception {
    HttpUrl url = request.getUrl();
    hub.add(seen(request));
    List<String> path = url.pathSegments();
    if (path.get(0).equals("api") && path.indexOf("revision") > 1) {
      return listing(request, String.join("/", path.subList(1, path.indexOf("revision"))), path.get(path.size() - 1));
    }
    int at = path.indexOf("resolve");
    int named = at < 0 ? path.indexOf("resolve-cache") : at;
    if (named < 1) {
      return error(404, "RepoNotFound");
    }
    String repository = String.join("/", path.subList(at < 0 ? 1 : 0, named));
    if (movedTo.containsKey(repository)) {
      return new MockResponse.Builder().code(307).setHeader("Location", "/" + movedTo.get(repository) + "/"
          + String.join("/", path.subList(named, path.size()))).build();
    }
    if (branches.keySet().stream().noneMatch(b -> b.startsWith(repository + "@"))) {
      return error(request.getHeaders().get("Authorization") == null ? 401 : 404, "RepoNotFound");
    }
    if (gated && at >= 0) {
      return error(403, "GatedRepo").newBuilder().setHeader("X-Error-Message", "you may not, " + TOKEN).build();
    }
    String revision = path.get(named + 1);
    String commit = commits.containsKey(repository + "@" + revision) ? revision : branches.get(repository + "@" + revision);
    if (commit == null) {
      return error(404, "RevisionNotFound");
    }
    String file = String.join("/", path.subList(named + 2, path.size()));
    byte[] content = commits.get(repository + "@" + commit).get(file);
    MockResponse answer = content == null ? error(404, "EntryNotFound") : file(request, repository, commit, file, content, at);
    answer = answer.newBuilder().setHeader("X-Repo-Commit", commit).build();
    UnaryOperator<MockResponse> fault = request.getMethod().equals("HEAD") ? hubFaults.poll() : null;
    return fault == null ? answer : fault.apply(answer);
  }

  /** What there is of a repository, as its interface for programs says it. */
  private MockResponse listing(RecordedRequest request, String repository, String revision) {
    String moved = movedTo.get(repository);
    if (moved != null) {
      return new MockResponse.Builder().code(307).setHeader("Location", "/api/" + moved + "/revision/" + revision).build();
    }
    if (branches.keySet().stream().noneMatch(b -> b.startsWith(repository + "@"))) {
      return error(request.getHeaders().get("Authorization") == null ? 401 : 404, "RepoNotFound");
    }
    if (gated) {
      return error(403, "GatedRepo");
    }
    String commit = commits.containsKey(repository + "@" + revision) ? revision : branches.get(repository + "@" + revision);
    if (commit == null) {
      return error(404, "RevisionNotFound");
    }
    String files = commits.get(repository + "@" + commit).keySet().stream()
        .map(name -> "{\"rfilename\":\"" + name + "\"}").collect(Collectors.joining(","));
    MockResponse answer = new MockResponse.Builder().body("{\"sha\":\"" + commit + "\",\"siblings\":[" + files + "]}").build();
    UnaryOperator<MockResponse> fault = listingFaults.poll();
    return fault == null ? answer : fault.apply(answer);
  }

  private MockResponse file(RecordedRequest request, String repository, String commit, String file, byte[] content, int at)
      throws Exception {
    if (file.endsWith(".safetensors") || file.endsWith(".parquet") || file.endsWith(".gz")) {
      String sha = hex("SHA-256", content);
      large.put(sha, content);
      return new MockResponse.Builder().code(302).setHeader("X-Linked-Etag", "\"" + sha + "\"")
          .setHeader("X-Linked-Size", content.length)
          .setHeader("Location", "http://127.0.0.1:" + storageServer.getPort() + "/" + sha + "?signature=signed").build();
    }
    if (at >= 0 && file.equals("config.json")) {
      return new MockResponse.Builder().code(307)
          .setHeader("Location", "/api/" + repository + "/resolve-cache/" + commit + "/" + file).build();
    }
    MockResponse.Builder answer = new MockResponse.Builder().setHeader("ETag", "\"" + gitSha(content) + "\"");
    return (request.getMethod().equals("HEAD") ? answer.setHeader("Content-Length", content.length)
        : answer.body(new Buffer().write(content))).build();
  }

  private MockResponse error(int status, String code) {
    MockResponse.Builder answer = new MockResponse.Builder().code(status);
    return (explains ? answer.setHeader("X-Error-Code", code) : answer).build();
  }

  private MockResponse store(RecordedRequest request) {
    storage.add(seen(request));
    byte[] content = large.get(request.getUrl().pathSegments().get(0));
    String range = request.getHeaders().get("Range");
    int from = range == null ? 0 : Integer.parseInt(range.replaceAll("bytes=(\\d+)-", "$1"));
    MockResponse.Builder answer = new MockResponse.Builder().code(range == null ? 200 : 206)
        .body(new Buffer().write(content, from, content.length - from)).setHeader("ETag", "\"of the storage\"");
    if (range != null) {
      answer.setHeader("Content-Range", "bytes " + from + "-" + (content.length - 1) + "/" + content.length);
    }
    UnaryOperator<MockResponse> fault = faults.poll();
    return fault == null ? answer.build() : fault.apply(answer.build());
  }

  private static Seen seen(RecordedRequest request) {
    Map<String, String> headers = new LinkedHashMap<>();
    request.getHeaders().forEach(h -> headers.put(h.getFirst(), h.getSecond()));
    return new Seen(request.getMethod(), request.getUrl().encodedPath(), headers);
  }

  static String gitSha(byte[] content) {
    byte[] head = ("blob " + content.length + "\0").getBytes(StandardCharsets.UTF_8);
    byte[] all = java.util.Arrays.copyOf(head, head.length + content.length);
    System.arraycopy(content, 0, all, head.length, content.length);
    return hex("SHA-1", all);
  }

  static String hex(String algorithm, byte[] content) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance(algorithm).digest(content));
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }

  @Override
  public void afterEach(ExtensionContext test) {
    close();
  }

  @Override
  public void close() {
    hubServer.close();
    storageServer.close();
  }
}
