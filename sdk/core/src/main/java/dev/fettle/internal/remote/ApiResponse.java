package dev.fettle.internal.remote;

import dev.fettle.internal.wire.Paths;
import java.util.Locale;
import java.util.Optional;
import okhttp3.Headers;

/** What came back. */
record ApiResponse(int status, Headers headers, byte[] body) {
  boolean ok() {
    return status >= 200 && status < 300;
  }

  /** Whether the service has no such call: it is older, or another one. */
  boolean isUnknown() {
    return status == 404 || status == 405 || status == 501;
  }

  boolean isProtobuf() {
    return header("Content-Type").orElse("").toLowerCase(Locale.ROOT).contains(Paths.PROTOBUF);
  }

  Optional<String> header(String name) {
    return Optional.ofNullable(headers.get(name));
  }
}
