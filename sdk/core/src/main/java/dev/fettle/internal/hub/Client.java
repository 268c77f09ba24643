package dev.fettle.internal.hub;

import dev.fettle.ServiceException;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Consumer;
import okhttp3.Headers;
import okhttp3.HttpUrl;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.Response;

/**
 * Single exchanges with the hub; nothing is tried again here. Redirects are followed by hand: the token goes to the hub
 * itself, and to no other scheme, host or port.
 */
final class Client implements AutoCloseable {
  private static final String AGENT = "fettle/0.1 Java/" + Runtime.version().feature();
  private static final int REDIRECTS = 5;

  private final Settings settings;
  private final Refusals refusals;
  private final OkHttpClient client;

  Client(Settings settings) {
    this.settings = settings;
    this.refusals = new Refusals(settings);
    this.client = Proxies.use(new OkHttpClient.Builder(), settings.env())
        .connectTimeout(Duration.ofSeconds(10))
        .readTimeout(Duration.ofSeconds(30))
        .followRedirects(false)
        .followSslRedirects(false)
        .build();
  }

  /**
   * What the hub says of a file.
   *
   * @param commit the one that the revision is
   * @param etag the name of its content, in most cases a checksum
   * @param size in bytes; -1 if it does not say
   */
  record Facts(String commit, String etag, long size) {}

  /** A status that may be another one soon. */
  static final class Transient extends IOException {
    private static final long serialVersionUID = 1;
    private final long seconds;

    Transient(String message, long seconds) {
      super(message);
      this.seconds = seconds;
    }

    /** How long the hub wants to be left alone; 0 if it does not say. */
    long seconds() {
      return seconds;
    }
  }

  /** Takes the content from a position on: the one that was asked for, or 0. */
  @FunctionalInterface
  interface Sink {
    void take(InputStream in, long from) throws IOException;
  }

  static boolean isCommit(String text) {
    return text.matches("[0-9a-zA-Z]{6,64}");
  }

  /** Asks for a file at a revision; empty if there is none. The callback hears the commit if it surely lacks it. */
  Optional<Facts> facts(Repository repository, String revision, String file, Consumer<String> lacking)
      throws IOException {
    HttpUrl at = url(repository, revision, file);
    String commit = null;
    String etag = null;
    long size = -1;
    for (int hops = 0; hops <= REDIRECTS; hops++) {
      try (Response response = client.newCall(request(at).head().build()).execute()) {
        Headers headers = response.headers();
        commit = commit == null ? headers.get("X-Repo-Commit") : commit;
        etag = etag == null ? headers.get("X-Linked-Etag") : etag;
        size = size < 0 ? number(headers.get("X-Linked-Size")) : size;
        if (!response.isRedirect()) {
          if (response.code() == 404 && refusals.isAbsent(response)) {
            if (commit != null && isCommit(commit) && "EntryNotFound".equals(headers.get("X-Error-Code"))) {
              lacking.accept(commit);
            }
            return Optional.empty();
          }
          refusals.check(response, repository, file, isHome(at));
          return Optional.of(facts(repository, file, commit, etag == null ? headers.get("ETag") : etag,
              size < 0 ? number(headers.get("Content-Length")) : size));
        }
        HttpUrl next = target(response, at);
        if (commit != null && etag != null && !next.host().equals(at.host())) {
          return Optional.of(facts(repository, file, commit, etag, size));
        }
        at = next;
      }
    }
    throw new ServiceException(repository + ": " + settings.host() + " redirects " + file + " in circles", 0);
  }

  private Facts facts(Repository repository, String file, String commit, String etag, long size) {
    String name = etag == null ? "" : etag.replaceFirst("^W/", "").replace("\"", "");
    if (commit == null || !isCommit(commit) || !name.matches("[\\w-][\\w.-]{0,127}")) {
      throw new ServiceException(repository + ": " + settings.host() + " answers for " + file + " without "
          + "X-Repo-Commit and ETag as a hub gives them; if HF_ENDPOINT is set, does it name a hub?", 0);
    }
    return new Facts(commit, name, size);
  }

  /** Reads a file at a commit from a position on. */
  void content(Repository repository, String commit, String file, long from, Sink sink) throws IOException {
    HttpUrl at = url(repository, commit, file);
    for (int hops = 0; hops <= REDIRECTS; hops++) {
      Request.Builder request = request(at);
      if (from > 0) {
        request.header("Range", "bytes=" + from + "-");
      }
      try (Response response = client.newCall(request.build()).execute()) {
        if (response.isRedirect()) {
          at = target(response, at);
          continue;
        }
        if (response.code() == 416) {
          throw new Transient("status 416: there is nothing from byte " + from + " on", 0);
        }
        refusals.check(response, repository, file, isHome(at));
        boolean part = response.code() == 206
            && String.valueOf(response.header("Content-Range")).startsWith("bytes " + from + "-");
        if (response.code() == 206 && !part && from > 0) {
          throw new IOException("another part of the file came than the one from byte " + from + " on");
        }
        sink.take(response.body().byteStream(), part ? from : 0);
        return;
      }
    }
    throw new ServiceException(repository + ": " + settings.host() + " redirects " + file + " in circles", 0);
  }

  /** What there is at a revision, and which commit that is. */
  Listing listing(Repository repository, String revision) throws IOException {
    HttpUrl at = settings.endpoint().newBuilder().addPathSegment("api").addPathSegments(repository.path())
        .addPathSegment("revision").addPathSegment(revision).build();
    for (int hops = 0; hops <= REDIRECTS; hops++) {
      try (Response response = client.newCall(request(at).build()).execute()) {
        if (response.isRedirect()) {
          at = target(response, at);
          continue;
        }
        refusals.check(response, repository, "the list of its files", isHome(at));
        return Listing.read(response.body().byteStream(), repository, settings.host());
      }
    }
    throw new ServiceException(repository + ": " + settings.host() + " redirects the list of its files in circles", 0);
  }

  private HttpUrl url(Repository repository, String revision, String file) {
    return settings.endpoint().newBuilder().addPathSegments(repository.path()).addPathSegment("resolve")
        .addPathSegment(revision).addPathSegments(file).build();
  }

  private Request.Builder request(HttpUrl at) {
    Request.Builder request = new Request.Builder().url(at).header("User-Agent", AGENT)
        .header("Accept-Encoding", "identity");
    if (settings.token().isPresent() && isHome(at) && Refusals.isPrivate(at)) {
      request.header("Authorization", "Bearer " + settings.token().value());
    }
    return request;
  }

  private boolean isHome(HttpUrl url) {
    HttpUrl home = settings.endpoint();
    return url.scheme().equals(home.scheme()) && url.host().equals(home.host()) && url.port() == home.port();
  }

  private HttpUrl target(Response response, HttpUrl from) {
    String location = response.header("Location");
    HttpUrl to = location == null ? null : from.resolve(location);
    if (to == null || from.isHttps() && !to.isHttps()) {
      throw new ServiceException(settings.host() + " redirects to no usable address"
          + (to == null ? "" : ": " + to.host() + " by http") + "; it has to be https", response.code());
    }
    return to;
  }

  private static long number(String text) {
    return text != null && text.matches("\\d{1,18}") ? Long.parseLong(text) : -1;
  }

  @Override
  public void close() {
    client.dispatcher().executorService().shutdown();
    client.connectionPool().evictAll();
  }
}
