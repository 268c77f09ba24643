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
 * @param sent called of a request with such a time when it has been sent and its answer is waited for
 */
record ApiRequest(String method, String path, Map<String, String> query, Map<String, String> headers, byte[] body, String what,
    boolean follow, long poll, Runnable sent) {

  static ApiRequest post(String path, Object message, String what) {
    return post(path, WireJson.write(message), Paths.JSON, what);
  }

  static ApiRequest post(String path, byte[] body, String contentType, String what) {
    Map<String, String> headers = Map.of("Accept", Paths.JSON, "Content-Type", contentType, Paths.IDEMPOTENCY_KEY,
        "fettle-" + UUID.randomUUID());
    return new ApiRequest("POST", path, Map.of(), headers, body, what, true, 0, null);
  }

  static ApiRequest get(String path, String what) {
    return new ApiRequest("GET", path, Map.of(), Map.of("Accept", Paths.JSON), null, what, true, 0, null);
  }

  static ApiRequest delete(String path, String what) {
    return new ApiRequest("DELETE", path, Map.of(), Map.of("Accept", Paths.JSON, Paths.IDEMPOTENCY_KEY,
        "fettle-" + UUID.randomUUID()), null, what, true, 0, null);
  }

  static ApiRequest put(String path, Object message, String what) {
    ApiRequest post = post(path, message, what);
    return new ApiRequest("PUT", path, Map.of(), post.headers, post.body, what, true, 0, null);
  }

  ApiRequest with(String header, String value) {
    Map<String, String> changed = new TreeMap<>(headers);
    changed.put(header, value);
    return new ApiRequest(method, path, query, changed, body, what, follow, poll, sent);
  }

  ApiRequest query(Map<String, String> values) {
    return new ApiRequest(method, path, values, headers, body, what, follow, poll, sent);
  }

  ApiRequest withoutRedirects() {
    return new ApiRequest(method, path, query, headers, body, what, false, poll, sent);
  }

  ApiRequest polling(long millis, Runnable whenSent) {
    return new ApiRequest(method, path, query, headers, body, what, follow, millis, whenSent);
  }
}
