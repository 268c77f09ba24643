package dev.fettle.internal.openai;

import dev.fettle.internal.json.JsonNode;
import dev.fettle.internal.json.JsonPrinter;
import dev.fettle.internal.json.JsonReader;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.List;

/** A client that sends what a test says, over a real socket. */
final class Api {
  private final HttpClient http = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
  private final URI base;

  Api(URI base) {
    this.base = base;
  }

  /** An answer. */
  record Answer(int status, String type, String body) {
    JsonNode json() {
      return JsonReader.STANDARD.read(body);
    }

    /** Message, and the field that is to blame. */
    String error() {
      JsonNode error = json().path("error");
      return error.path("param").asString("") + ": " + error.path("message").stringValue();
    }

    /** The events of a stream, without its end. */
    List<JsonNode> events() {
      List<JsonNode> out = new ArrayList<>();
      for (String event : body.split("\n\n")) {
        if (event.startsWith("data: {")) {
          out.add(JsonReader.STANDARD.read(event.substring("data: ".length())));
        }
      }
      return out;
    }
  }

  Answer send(String method, String path, byte[] body, String... headers) {
    HttpRequest.Builder request = HttpRequest.newBuilder(base.resolve(path)).method(method,
        body == null ? HttpRequest.BodyPublishers.noBody() : HttpRequest.BodyPublishers.ofByteArray(body));
    if (headers.length > 0) {
      request.headers(headers);
    }
    try {
      HttpResponse<String> r = http.send(request.build(), HttpResponse.BodyHandlers.ofString());
      return new Answer(r.statusCode(), r.headers().firstValue("Content-Type").orElse(""), r.body());
    } catch (IOException | InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  Answer get(String path) {
    return send("GET", path, null);
  }

  /** Sends a text as it is, anything else as JSON. */
  Answer post(String path, Object body) {
    return send("POST", path, body instanceof String text ? text.getBytes(java.nio.charset.StandardCharsets.UTF_8)
        : JsonPrinter.utf8(body), "Content-Type", "application/json");
  }
}
