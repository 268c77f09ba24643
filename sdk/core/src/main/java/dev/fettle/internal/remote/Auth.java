package dev.fettle.internal.remote;

import dev.fettle.internal.json.JsonNode;
import dev.fettle.internal.wire.Paths;
import dev.fettle.internal.wire.Sessions;
import dev.fettle.internal.wire.WireJson;
import java.io.IOException;
import java.time.Instant;
import java.util.Base64;
import java.util.Map;

/** What goes into X-API-Key: the key itself, or a token that the service gives for it and that is renewed in time. */
final class Auth {
  private static final long MARGIN_SECONDS = 60;
  /** A key that has the form of a token is used as it is. */
  private static final String TOKEN_PREFIX = "eyJ";

  private final Redactor secrets;
  private boolean exchanging;
  private String token = "";
  private Instant expires = Instant.MIN;

  Auth(Redactor secrets) {
    this.secrets = secrets;
  }

  /** From now on the key is exchanged for tokens. */
  synchronized void exchange() {
    exchanging = true;
  }

  /** What to send now. */
  synchronized String token(RetryingClient calls) throws IOException {
    String key = secrets.key();
    if (!exchanging || key.isEmpty() || key.startsWith(TOKEN_PREFIX)) {
      return key;
    }
    if (Instant.now().plusSeconds(MARGIN_SECONDS).isAfter(expires)) {
      fetch(calls, key);
    }
    return token;
  }

  /** After a refusal: a token newer than the one that was refused, if one can be had. */
  synchronized boolean renew(RetryingClient calls, String refused) throws IOException {
    if (!exchanging || refused.isEmpty() || !refused.equals(token)) {
      return exchanging && !refused.isEmpty() && !token.isEmpty() && !refused.equals(token);
    }
    fetch(calls, secrets.key());
    return !refused.equals(token);
  }

  private void fetch(RetryingClient calls, String key) throws IOException {
    ApiRequest ask = ApiRequest.post(Paths.TOKEN, Map.of(), "exchanging the key for a token");
    ApiResponse answer;
    try {
      answer = calls.http().send(ask, key);
    } catch (IOException e) {
      if (Instant.now().isBefore(expires)) {
        return;
      }
      throw e;
    }
    if (!answer.ok()) {
      if (answer.status() >= 500 && Instant.now().isBefore(expires)) {
        return;
      }
      if (answer.status() >= 500 || answer.status() == 429 || answer.status() == 408) {
        throw new IOException("the key could not be exchanged for a token: status " + answer.status());
      }
      throw calls.problems().of(answer, ask.what());
    }
    token = secrets.noted(String.valueOf(calls.read(answer, ask.what(), Sessions.Token.class).jwt()));
    expires = expiry(token);
  }

  /** When a token expires; one that does not say so is taken for good for a few minutes. */
  private static Instant expiry(String jwt) {
    try {
      String[] parts = jwt.split("\\.");
      JsonNode exp = WireJson.tree(Base64.getUrlDecoder().decode(parts[1])).get("exp");
      return Instant.ofEpochSecond(exp.asLong());
    } catch (RuntimeException e) {
      return Instant.now().plusSeconds(5 * MARGIN_SECONDS);
    }
  }
}
