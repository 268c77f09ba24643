package dev.fettle.internal.remote;

import dev.fettle.InvalidInputException;
import dev.fettle.ServiceException;
import dev.fettle.internal.checkpoint.AtomicFiles;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import okhttp3.HttpUrl;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.Response;

/**
 * The small files of a model on the Hugging Face hub: tokenizer and settings, no weights. They lie in the hub's own
 * cache, which Python tools share; each appears there whole or not at all.
 */
final class HubFiles {
  private static final String REQUIRED = "tokenizer.json";
  private static final List<String> OPTIONAL =
      List.of("tokenizer_config.json", "config.json", "generation_config.json", "chat_template.jinja");
  private static final String REVISION = "main";

  private final Map<String, String> env;
  private final HttpUrl endpoint;

  HubFiles(Map<String, String> env) {
    this.env = env;
    this.endpoint = HttpUrl.parse(env.getOrDefault("HF_ENDPOINT", "https://huggingface.co"));
    if (endpoint == null) {
      throw new InvalidInputException("HF_ENDPOINT is not a URL");
    }
  }

  private Path cache() {
    if (env.containsKey("HF_HUB_CACHE")) {
      return Path.of(env.get("HF_HUB_CACHE"));
    }
    String home = env.get("HF_HOME");
    return (home == null ? Path.of(System.getProperty("user.home"), ".cache", "huggingface") : Path.of(home))
        .resolve("hub");
  }

  /**
   * A directory with the files of a repository, downloaded if they are not there.
   *
   * @throws InvalidInputException if the hub does not have it, or does not give it without another HF_TOKEN
   * @throws ServiceException if the hub cannot be reached
   */
  Path directory(String repository) {
    Path home = cache().resolve("models--" + repository.replace("/", "--"));
    Optional<Path> present = present(home);
    if (present.isPresent()) {
      return present.get();
    }
    if (List.of("1", "true", "yes", "on").contains(env.getOrDefault("HF_HUB_OFFLINE", "").toLowerCase(java.util.Locale.ROOT))) {
      throw new InvalidInputException(repository + ": not in " + cache() + ", and HF_HUB_OFFLINE forbids to download it");
    }
    OkHttpClient client = new OkHttpClient.Builder().readTimeout(Duration.ofSeconds(30)).build();
    try {
      return download(client, repository, home);
    } catch (IOException e) {
      throw new ServiceException(repository + ": the tokenizer cannot be had from " + endpoint.host() + ": "
          + e.getMessage(), 0, e);
    } finally {
      client.connectionPool().evictAll();
    }
  }

  private static Optional<Path> present(Path home) {
    try {
      String commit = Files.readString(home.resolve("refs").resolve(REVISION)).strip();
      return Optional.of(home.resolve("snapshots").resolve(commit)).filter(d -> Files.isRegularFile(d.resolve(REQUIRED)));
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  private Path download(OkHttpClient client, String repository, Path home) throws IOException {
    Found required = fetch(client, repository, REQUIRED)
        .orElseThrow(() -> new InvalidInputException(repository + ": " + endpoint.host() + " has no " + REQUIRED
            + " of it. Is the name right?"));
    Path snapshot = home.resolve("snapshots").resolve(required.commit);
    for (String name : OPTIONAL) {
      Optional<Found> found = fetch(client, repository, name);
      if (found.isPresent()) {
        write(snapshot.resolve(name), found.get().bytes);
      }
    }
    write(snapshot.resolve(REQUIRED), required.bytes);
    write(home.resolve("refs").resolve(REVISION), required.commit.getBytes(StandardCharsets.UTF_8));
    return snapshot;
  }

  private record Found(byte[] bytes, String commit) {}

  private Optional<Found> fetch(OkHttpClient client, String repository, String file) throws IOException {
    HttpUrl url = endpoint.newBuilder().addPathSegments(repository).addPathSegments("resolve/" + REVISION + "/" + file)
        .build();
    Request.Builder request = new Request.Builder().url(url);
    String token = env.getOrDefault("HF_TOKEN", "").strip();
    if (!token.isEmpty()) {
      // OkHttp does not take this header along to another host.
      request.header("Authorization", "Bearer " + token);
    }
    try (Response response = client.newCall(request.build()).execute()) {
      byte[] bytes = response.body().bytes();
      if (response.code() == 404) {
        return Optional.empty();
      }
      if (response.code() == 401 || response.code() == 403) {
        throw new InvalidInputException(repository + ": " + endpoint.host() + " does not give " + file + " ("
            + response.code() + "): the name is wrong, or HF_TOKEN has no access");
      }
      if (!response.isSuccessful()) {
        throw new IOException(file + ": status " + response.code());
      }
      String commit = REVISION;
      for (Response r = response; r != null; r = r.priorResponse()) {
        commit = r.header("X-Repo-Commit", commit);
      }
      return Optional.of(new Found(bytes, commit.matches("[0-9a-zA-Z._-]+") ? commit : REVISION));
    }
  }

  private static void write(Path file, byte[] bytes) {
    AtomicFiles.writeFile(file, channel -> {
      ByteBuffer buffer = ByteBuffer.wrap(bytes);
      while (buffer.hasRemaining()) {
        channel.write(buffer);
      }
    });
  }
}
