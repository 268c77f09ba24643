package dev.fettle.internal.hub;

import dev.fettle.InvalidInputException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import okhttp3.HttpUrl;

/**
 * What the environment says, by the variables that Python's huggingface_hub reads.
 *
 * @param endpoint the hub or a mirror of it
 * @param cache the directory with a directory for each repository
 * @param offline whether nothing may be downloaded
 */
record Settings(HttpUrl endpoint, Path cache, Token token, boolean offline, Map<String, String> env) {
  private static final Set<String> TRUE = Set.of("1", "on", "yes", "true");

  static Settings of(Map<String, String> env) {
    String given = first(env, "https://huggingface.co", "HF_ENDPOINT");
    HttpUrl endpoint = HttpUrl.parse(given);
    if (endpoint == null || !endpoint.username().isEmpty() || !endpoint.password().isEmpty()) {
      throw new InvalidInputException("HF_ENDPOINT has to be the URL of a hub, such as https://huggingface.co, without "
          + "a user name in it");
    }
    Path home = path(first(env, first(env, "~/.cache", "XDG_CACHE_HOME") + "/huggingface", "HF_HOME"));
    Path cache = path(first(env, home.resolve("hub").toString(), "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"));
    String offline = first(env, "", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE");
    return new Settings(endpoint, cache, Token.find(env, home), TRUE.contains(offline.toLowerCase(Locale.ROOT)), env);
  }

  private static String first(Map<String, String> env, String otherwise, String... names) {
    for (String name : names) {
      if (!env.getOrDefault(name, "").isBlank()) {
        return env.get(name).strip();
      }
    }
    return otherwise;
  }

  private static Path path(String text) {
    boolean below = text.equals("~") || text.startsWith("~/");
    return Path.of(below ? System.getProperty("user.home") + text.substring(1) : text);
  }

  /** The hub, as errors name it. */
  String host() {
    return endpoint.host() + (endpoint.port() == HttpUrl.defaultPort(endpoint.scheme()) ? "" : ":" + endpoint.port());
  }

  @Override
  public String toString() {
    return "Settings[" + host() + "]";
  }
}
