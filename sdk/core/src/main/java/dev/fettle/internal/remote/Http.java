package dev.fettle.internal.remote;

import dev.fettle.InvalidInputException;
import dev.fettle.Remote;
import dev.fettle.internal.hub.Proxies;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.TimeUnit;
import okhttp3.Call;
import okhttp3.ConnectionPool;
import okhttp3.EventListener;
import okhttp3.HttpUrl;
import okhttp3.MediaType;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.RequestBody;
import okhttp3.Response;

/** Single exchanges with one service; nothing is tried again here. Redirects never take the key to another host. */
final class Http implements AutoCloseable {
  private static final String AGENT = "fettle/0.1 Java/" + Runtime.version().feature();
  private static final int REDIRECTS = 5;
  /** How long a connection is kept unused: common servers close theirs after 5 s, and a request may meet that. */
  private static final int IDLE_SECONDS = 4;
  private static final Duration HASTY = Duration.ofSeconds(3);

  private final HttpUrl base;
  private final boolean plainAllowed;
  private final OkHttpClient client;

  Http(Remote remote, RetryPolicy patience) {
    this.base = HttpUrl.get(remote.uri());
    this.plainAllowed = remote.isPlainHttpAllowed();
    if (base == null) {
      throw new InvalidInputException("the service's URL cannot be used: " + remote.uri());
    }
    if (!permitted(base)) {
      throw new InvalidInputException(remote.uri() + " is not encrypted: use https, or allow it by "
          + "Remote.allowPlainHttp(), or FETTLE_PLAIN_HTTP=1, if everyone on the way may read key and data");
    }
    this.client = Proxies.use(new OkHttpClient.Builder(), System.getenv())
        .connectTimeout(patience.connect())
        .readTimeout(patience.read())
        .writeTimeout(patience.read())
        .connectionPool(new ConnectionPool(20, IDLE_SECONDS, TimeUnit.SECONDS))
        .socketFactory(new PromptSockets())
        .retryOnConnectionFailure(false)
        .followRedirects(false)
        .followSslRedirects(false)
        .build();
  }

  /** Whether a URL is encrypted, or may be used although it is not. */
  private boolean permitted(HttpUrl url) {
    return url.isHttps() || plainAllowed || isLoopback(url.host());
  }

  private static boolean isLoopback(String host) {
    if (host.equals("localhost") || host.endsWith(".localhost")) {
      return true;
    }
    try {
      return host.matches("[0-9.]+|.*:.*") && InetAddress.getByName(host).isLoopbackAddress();
    } catch (UnknownHostException e) {
      return false;
    }
  }

  /** Where the service is said to be. */
  HttpUrl base() {
    return base;
  }

  /**
   * Whether what listens there answers without encryption. Neither key nor data are sent. Servers that encrypt tell whoever does not
   * so with 400, or send him to https: what is wrong with those is another thing, such as their certificate.
   */
  boolean answersPlainly() {
    HttpUrl plain = base.newBuilder().scheme("http").port(base.port()).encodedPath("/").build();
    OkHttpClient hasty = client.newBuilder().callTimeout(HASTY).build();
    try (Response response = hasty.newCall(new Request.Builder().url(plain).header("User-Agent", AGENT).build()).execute()) {
      return response.code() != 400 && !response.header("Location", "").startsWith("https:");
    } catch (IOException e) {
      return false;
    }
  }

  /** The service, as errors name it. */
  String host() {
    return base.host() + (base.port() == HttpUrl.defaultPort(base.scheme()) ? "" : ":" + base.port());
  }

  /** Sends a request with a key, or with none if it is empty. */
  ApiResponse send(ApiRequest ask, String key) throws IOException {
    HttpUrl.Builder url = base.newBuilder().addPathSegments(ask.path());
    ask.query().forEach(url::addQueryParameter);
    HttpUrl at = url.build();
    for (int redirects = 0;; redirects++) {
      boolean home = at.scheme().equals(base.scheme()) && at.host().equals(base.host()) && at.port() == base.port();
      ApiResponse answer = exchange(request(ask, at, home ? key : "", home), waiting(ask));
      HttpUrl next = ask.follow() && redirects < REDIRECTS ? target(ask, answer, at) : null;
      if (next == null) {
        return answer;
      }
      at = next;
    }
  }

  private OkHttpClient waiting(ApiRequest ask) {
    return ask.poll() == 0 ? client : client.newBuilder().readTimeout(ask.poll(), TimeUnit.MILLISECONDS)
        .eventListener(new EventListener() {
          @Override
          public void requestBodyEnd(Call call, long bytes) {
            ask.sent().run();
          }
        }).build();
  }

  /** Where an answer redirects to, if it may be followed: work is never sent to another host. */
  private HttpUrl target(ApiRequest ask, ApiResponse answer, HttpUrl from) {
    int status = answer.status();
    boolean get = ask.method().equals("GET");
    boolean redirect = status == 307 || status == 308 || get && (status == 301 || status == 302 || status == 303);
    HttpUrl to = redirect ? answer.header("Location").map(from::resolve).orElse(null) : null;
    boolean same = to != null && to.host().equals(from.host()) && to.port() == from.port()
        && to.scheme().equals(from.scheme());
    return to == null || !permitted(to) || !get && !same ? null : to;
  }

  private static Request request(ApiRequest ask, HttpUrl url, String key, boolean home) {
    Request.Builder request = new Request.Builder().url(url).header("User-Agent", AGENT);
    for (Map.Entry<String, String> header : ask.headers().entrySet()) {
      if (home || header.getKey().equals("Accept")) {
        request.header(header.getKey(), header.getValue());
      }
    }
    if (!key.isEmpty()) {
      request.header(dev.fettle.internal.wire.Paths.API_KEY, key);
    }
    RequestBody body = ask.body() == null ? null
        : RequestBody.create(ask.body(), MediaType.get(ask.headers().get("Content-Type")));
    if (body == null && ask.method().equals("POST")) {
      body = RequestBody.create(new byte[0], null);
    }
    return request.method(ask.method(), body).build();
  }

  private static ApiResponse exchange(Request request, OkHttpClient client) throws IOException {
    try (Response response = client.newCall(request).execute()) {
      byte[] body = response.body().bytes();
      if (response.code() == 400 && body.length == 0) {
        throw new IOException("400 without a body, as proxies at the edge of a network send it");
      }
      return new ApiResponse(response.code(), response.headers(), body);
    }
  }

  /** Takes the bytes of a download. */
  @FunctionalInterface
  interface Sink {
    void take(InputStream in) throws IOException;
  }

  /** Reads a URL that carries its own permission, such as a signed one: without the key, except from the service. */
  void download(String location, String key, Sink sink) throws IOException {
    HttpUrl at = base.resolve(location);
    for (int redirects = 0;; redirects++) {
      if (at == null || !permitted(at) || redirects > REDIRECTS) {
        throw new InvalidInputException("the service gave no usable address to download from; it has to be https");
      }
      boolean home = at.scheme().equals(base.scheme()) && at.host().equals(base.host()) && at.port() == base.port();
      Request.Builder request = new Request.Builder().url(at).header("User-Agent", AGENT);
      if (home && !key.isEmpty()) {
        request.header(dev.fettle.internal.wire.Paths.API_KEY, key);
      }
      try (Response response = client.newCall(request.build()).execute()) {
        if (response.isRedirect()) {
          at = at.resolve(String.valueOf(response.header("Location")));
          continue;
        }
        if (!response.isSuccessful()) {
          throw new IOException("status " + response.code());
        }
        sink.take(response.body().byteStream());
        return;
      }
    }
  }

  int connections() {
    return client.connectionPool().connectionCount();
  }

  /** Cuts all connections. */
  @Override
  public void close() {
    client.dispatcher().cancelAll();
    ExecutorService executor = client.dispatcher().executorService();
    executor.shutdown();
    client.connectionPool().evictAll();
  }
}
