package dev.fettle.internal.remote;

import dev.fettle.internal.wire.Paths;
import dev.fettle.internal.wire.WireJson;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;

/**
 * One request, the same however often it is sent.
 *
 * @param what it is for, in words, for errors
 * @param body null in a GET
 * @param follow whether redirects are followed
 * @param poll how long the answer may take, in milliseconds, if that is not the usual time; else 0
 */
record Ask(String method, String path, Map<String, String> query, Map<String, String> headers, byte[] body, String what,
    boolean follow, long poll) {

  static Ask post(String path, Object message, String what) {
    return post(path, WireJson.write(message), Paths.JSON, what);
  }

  static Ask post(String path, byte[] body, String contentType, String what) {
    Map<String, String> headers = Map.of("Accept", Paths.JSON, "Content-Type", contentType, Paths.IDEMPOTENCY_KEY,
        "fettle-" + UUID.randomUUID());
    return new Ask("POST", path, Map.of(), headers, body, what, true, 0);
  }

  static Ask get(String path, String what) {
    return new Ask("GET", path, Map.of(), Map.of("Accept", Paths.JSON), null, what, true, 0);
  }

  static Ask delete(String path, String what) {
    return new Ask("DELETE", path, Map.of(), Map.of("Accept", Paths.JSON, Paths.IDEMPOTENCY_KEY,
        "fettle-" + UUID.randomUUID()), null, what, true, 0);
  }

  static Ask put(String path, Object message, String what) {
    Ask post = post(path, message, what);
    return new Ask("PUT", path, Map.of(), post.headers, post.body, what, true, 0);
  }

  Ask with(String header, String value) {
    Map<String, String> changed = new TreeMap<>(headers);
    changed.put(header, value);
    return new Ask(method, path, query, changed, body, what, follow, poll);
  }

  Ask query(Map<String, String> values) {
    return new Ask(method, path, values, headers, body, what, follow, poll);
  }

  Ask withoutRedirects() {
    return new Ask(method, path, query, headers, body, what, false, poll);
  }

  Ask polling(long millis) {
    return new Ask(method, path, query, headers, body, what, follow, millis);
  }
}
