package dev.fettle.internal.serve;

import dev.fettle.internal.wire.Paths;
import dev.fettle.internal.wire.WireJson;
import java.io.IOException;
import java.io.OutputStream;
import java.util.Map;

/** An HTTP answer; {@code type} is null where there is no content. */
record Reply(int status, String type, Map<String, String> headers, long length, Body body) {
  /** What writes the content. */
  @FunctionalInterface
  interface Body {
    void to(OutputStream out) throws IOException;
  }

  static Reply bytes(int status, String type, byte[] content) {
    return new Reply(status, type, Map.of(), content.length, out -> out.write(content));
  }

  static Reply json(Object message) {
    return bytes(200, Paths.JSON, WireJson.write(message));
  }

  static Reply empty() {
    return new Reply(204, null, Map.of(), 0, out -> { });
  }

  /** An error; 429 and 503 say when to try again. */
  static Reply problem(int status, String detail) {
    Reply reply = bytes(status, Paths.JSON, WireJson.write(Map.of("detail", detail)));
    return status == 429 || status == 503 ? reply.with(Map.of("Retry-After", "1")) : reply;
  }

  Reply with(Map<String, String> more) {
    return new Reply(status, type, more, length, body);
  }

  boolean succeeded() {
    return status < 300;
  }
}
