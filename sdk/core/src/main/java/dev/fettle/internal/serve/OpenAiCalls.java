package dev.fettle.internal.serve;

import com.sun.net.httpserver.HttpExchange;
import dev.fettle.internal.openai.OpenAi;
import java.io.IOException;
import java.util.Locale;
import java.util.function.Supplier;

/** Requests of OpenAI's clients: who may send them, and how much. */
final class OpenAiCalls {
  private static final String BEARER = "bearer ";

  private final OpenAi calls;
  private final Bodies bodies;
  private final Supplier<String> token;

  OpenAiCalls(OpenAi calls, Bodies bodies, Supplier<String> token) {
    this.calls = calls;
    this.bodies = bodies;
    this.token = token;
  }

  static boolean takes(HttpExchange exchange) {
    return OpenAi.takes(exchange.getRequestURI().getPath());
  }

  void handle(HttpExchange exchange) {
    calls.handle(exchange, () -> {
      try {
        return read(exchange);
      } catch (Problem e) {
        throw new OpenAi.Refused(e.status(), e.getMessage());
      }
    });
  }

  private byte[] read(HttpExchange exchange) throws IOException {
    Server.refuseBrowsers(exchange);
    authenticate(exchange);
    byte[] body = bodies.read(exchange);
    // From here on it is counted no more: the requests under way are bounded, and so is each.
    bodies.release(body.length);
    return body;
  }

  private void authenticate(HttpExchange exchange) {
    String expected = token.get();
    String given = exchange.getRequestHeaders().getFirst("Authorization");
    if (expected == null) {
      return;
    }
    boolean bearer = given != null && given.toLowerCase(Locale.ROOT).startsWith(BEARER);
    if (!bearer) {
      throw new Problem(401, "the header Authorization: Bearer, with the token, is missing");
    } else if (!Fingerprint.same(expected, given.substring(BEARER.length()).strip())) {
      throw new Problem(401, "the token in Authorization is not the one that this server asks for");
    }
  }

  void close() {
    calls.close();
  }
}
