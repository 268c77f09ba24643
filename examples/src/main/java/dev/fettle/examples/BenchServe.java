package dev.fettle.examples;

import dev.fettle.BaseModel;
import dev.fettle.Fettle;
import dev.fettle.FettleException;
import dev.fettle.FettleServer;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import tools.jackson.databind.json.JsonMapper;

/** Requests at once to a server, of {@link Bench}. */
final class BenchServe {
  private static final JsonMapper JSON = new JsonMapper();

  private final HttpClient http = HttpClient.newHttpClient();
  private final URI completions;
  private final BaseModel model;
  private final Options options;

  private BenchServe(URI server, BaseModel model, Options options) {
    this.completions = server.resolve("/v1/completions");
    this.model = model;
    this.options = options;
  }

  static Map<String, Object> serve(BaseModel model, Options options) {
    try (Fettle fettle = Fettle.local();
        FettleServer server = FettleServer.serve(fettle, model).name("bench").start()) {
      return new BenchServe(server.uri(), model, options).measure();
    }
  }

  /** One request and many of them in turn, so that both meet the same machine. */
  private Map<String, Object> measure() {
    SplittableRandom random = new SplittableRandom(options.seed());
    int batch = options.count(Option.BATCH);
    double[] alone = new double[options.count(Option.TIMED)];
    double[] together = new double[alone.length];
    seconds(random, batch);
    for (int run = 0; run < alone.length; run++) {
      alone[run] = seconds(random, 1);
      together[run] = seconds(random, batch);
    }
    int tokens = options.count(Option.NEW);
    Map<String, Object> result = Figures.of(model, batch * tokens, together);
    result.put("tokens_per_second_alone", tokens / Figures.median(alone));
    result.put("times_alone", (double) result.get("tokens_per_second") * Figures.median(alone) / tokens);
    return result;
  }

  private double seconds(SplittableRandom random, int requests) {
    List<String> bodies = new ArrayList<>();
    for (int i = 0; i < requests; i++) {
      bodies.add(JSON.writeValueAsString(Map.of("model", "bench", "prompt",
          Figures.tokens(random, options.count(Option.PROMPT_TOKENS), model.vocabSize()), "max_tokens", options.count(Option.NEW),
          "temperature", 0, "ignore_eos", true)));
    }
    long start = System.nanoTime();
    bodies.stream().map(this::send).toList().forEach(CompletableFuture::join);
    return Figures.since(start);
  }

  private CompletableFuture<HttpResponse<String>> send(String body) {
    return http.sendAsync(HttpRequest.newBuilder(completions).POST(HttpRequest.BodyPublishers.ofString(body)).build(),
        HttpResponse.BodyHandlers.ofString()).thenApply(answer -> {
          if (answer.statusCode() != 200) {
            throw new FettleException(answer.body());
          }
          return answer;
        });
  }
}
