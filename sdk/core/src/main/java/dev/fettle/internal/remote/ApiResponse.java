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

  boolean isProtobuf() {
    return header("Content-Type").orElse("").toLowerCase(Locale.ROOT).contains(Paths.PROTOBUF);
  }

  Optional<String> header(String name) {
    return Optional.ofNullable(headers.get(name));
  }
}
