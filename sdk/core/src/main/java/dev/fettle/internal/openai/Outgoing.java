package dev.fettle.internal.openai;

import com.sun.net.httpserver.HttpExchange;
import dev.fettle.internal.json.JsonPrinter;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/** Where the answer to one request goes. An {@link IOException} says that the client has gone. Not thread-safe. */
final class Outgoing {
  private static final byte[] SPACE = {' '};

  private final HttpExchange exchange;
  private boolean begun;
  private boolean events;

  Outgoing(HttpExchange exchange) {
    this.exchange = exchange;
  }

  /** The whole answer. */
  void document(int status, Object json) throws IOException {
    byte[] body = JsonPrinter.utf8(json);
    boolean head = exchange.getRequestMethod().equals("HEAD");
    if (!begun) {
      begin(status, "application/json", head ? -1 : body.length);
    }
    if (!head) {
      exchange.getResponseBody().write(body);
    }
  }

  /**
   * Tells whether the client is still there, by a space before the answer, which JSON allows: nothing else shows that a client
   * that waits has gone.
   */
  void beat() throws IOException {
    if (!begun) {
      begin(200, "application/json", 0);
    }
    exchange.getResponseBody().write(SPACE);
    exchange.getResponseBody().flush();
  }

  /** An event of a stream. */
  void event(Object json) throws IOException {
    line(JsonPrinter.line(json));
  }

  /** The end of a stream. */
  void done() throws IOException {
    line("[DONE]");
    flush();
  }

  private void line(String data) throws IOException {
    if (!begun) {
      events = true;
      exchange.getResponseHeaders().set("Cache-Control", "no-cache");
      begin(200, "text/event-stream; charset=utf-8", 0);
    }
    exchange.getResponseBody().write(("data: " + data + "\n\n").getBytes(StandardCharsets.UTF_8));
  }

  /** A line that clients of events ignore, see {@link #beat()}. */
  void comment() throws IOException {
    exchange.getResponseBody().write(": \n\n".getBytes(StandardCharsets.UTF_8));
    flush();
  }

  void flush() throws IOException {
    OutputStream out = exchange.getResponseBody();
    out.flush();
  }

  /** An error, in whatever has begun. */
  void error(ApiError error) throws IOException {
    Map<String, Object> json = error.json();
    if (events) {
      event(json);
      flush();
    } else {
      if (!begun && (error.status() == 429 || error.status() == 503)) {
        exchange.getResponseHeaders().set("Retry-After", "1");
      } else if (!begun && error.status() == 401) {
        exchange.getResponseHeaders().set("WWW-Authenticate", "Bearer");
      }
      document(error.status(), json);
    }
  }

  private void begin(int status, String type, long length) throws IOException {
    begun = true;
    exchange.getResponseHeaders().set("Content-Type", type);
    exchange.sendResponseHeaders(status, length);
  }
}
