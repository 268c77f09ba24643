package dev.fettle.internal.serve;

import dev.fettle.internal.json.JsonNode;
import dev.fettle.internal.wire.ModelInput;
import dev.fettle.internal.wire.Models;
import dev.fettle.internal.wire.Passes;
import dev.fettle.internal.wire.Paths;
import dev.fettle.internal.wire.TensorData;
import dev.fettle.internal.wire.WireJson;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** A client that sends what a test says, over a real socket. */
final class Wire {
  private final HttpClient http = HttpClient.newHttpClient();
  private final URI base;
  private String token = "tml-test";

  Wire(URI base) {
    this.base = base;
  }

  Wire token(String value) {
    token = value;
    return this;
  }

  /** An answer. */
  record Answer(int status, String type, byte[] body, Map<String, List<String>> headers) {
    JsonNode json() {
      return WireJson.tree(body);
    }

    String text(String field) {
      JsonNode value = json().get(field);
      return value == null || value.isNull() ? null : value.asString();
    }

    String detail() {
      return text("detail");
    }
  }

  Answer send(String method, String path, byte[] body, String... headers) {
    HttpRequest.Builder request = HttpRequest.newBuilder(base.resolve("/" + path))
        .method(method, body == null ? HttpRequest.BodyPublishers.noBody()
        : HttpRequest.BodyPublishers.ofByteArray(body));
    if (token != null) {
      request.header(Paths.API_KEY, token);
    }
    if (headers.length > 0) {
      request.headers(headers);
    }
    try {
      HttpResponse<byte[]> r = http.send(request.build(), HttpResponse.BodyHandlers.ofByteArray());
      return new Answer(r.statusCode(), r.headers().firstValue("Content-Type").orElse(""), r.body(), r.headers().map());
    } catch (IOException e) {
      throw new IllegalStateException(e);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  Answer get(String path) {
    return send("GET", path, null);
  }

  Answer post(String path, Object message, String... headers) {
    return send("POST", path, message instanceof String text ? text.getBytes(java.nio.charset.StandardCharsets.UTF_8)
        : WireJson.write(message), headers);
  }

  String session() {
    return post(Paths.CREATE_SESSION,
        "{\"tags\":[],\"user_metadata\":{},\"sdk_version\":\"0.25.0\"}").text("session_id");
  }

  /** Waits for a result as JSON. */
  JsonNode result(Answer submitted) {
    return result(submitted, Paths.JSON).json();
  }

  Answer result(Answer submitted, String accept) {
    if (submitted.status() != 200) {
      throw new IllegalStateException(submitted.status() + " " + new String(submitted.body()));
    }
    return retrieve(submitted.text("request_id"), accept);
  }

  Answer retrieve(String id, String accept) {
    while (true) {
      Answer answer = post(Paths.RETRIEVE, Map.of("request_id", id, "allow_metadata_only", true), "Accept", accept);
      if (answer.status() != 408) {
        return answer;
      }
    }
  }

  /** A model with an adapter of rank 8. */
  String model(String session, int number) {
    return result(create(session, number, 8, 7L)).get("model_id").asString();
  }

  Answer create(String session, int number, int rank, Long seed) {
    return post(Paths.CREATE_MODEL, Models.CreateModel.of(session, number, "fettle-tiny", Map.of(),
        new Models.LoraConfig(rank, seed, true, true, true)));
  }

  static Passes.Datum datum(int... tokens) {
    float[] ones = new float[tokens.length - 1];
    Arrays.fill(ones, 1f);
    return new Passes.Datum(ModelInput.of(Arrays.copyOf(tokens, tokens.length - 1)), Map.of(
        "target_tokens", TensorData.of(Arrays.copyOfRange(tokens, 1, tokens.length)), "weights", TensorData.of(ones)));
  }

  static Passes.Pass pass(String model, Integer number, int... tokens) {
    return new Passes.Pass(model, number, List.of(datum(tokens)), "cross_entropy", null, false);
  }

  Answer forwardBackward(String model, Integer number, int... tokens) {
    return send("POST", Paths.FORWARD_BACKWARD, pass(model, number, tokens).json(), "Content-Type", Paths.JSON);
  }

  Answer optimStep(String model, Integer number) {
    return post(Paths.OPTIM_STEP,
        "{\"adam_params\":{\"learning_rate\":0.001,\"beta1\":0.9,\"beta2\":0.95,\"eps\":1e-12,"
        + "\"weight_decay\":0.0,\"grad_clip_norm\":0.0},\"model_id\":\"" + model + "\",\"seq_id\":" + number
        + ",\"type\":\"optim_step\"}");
  }
}
