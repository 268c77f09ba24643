package dev.fettle.internal.serve;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.fettle.AdamW;
import dev.fettle.Batch;
import dev.fettle.Datum;
import dev.fettle.Lora;
import dev.fettle.Loss;
import dev.fettle.internal.Futures;
import dev.fettle.internal.TrainingBackend;
import dev.fettle.internal.json.JsonNode;
import dev.fettle.internal.torch.Torch;
import dev.fettle.internal.wire.Paths;
import dev.fettle.internal.wire.Sampling;
import dev.fettle.internal.wire.Steps;
import dev.fettle.internal.wire.Weights;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Several clients, clients that vanish, and more work than there is room for. */
class CrowdTest {
  private static final int[] TOKENS = {5, 6, 7, 8, 9, 10, 11, 12};

  @TempDir
  Path state;

  private static int[] tokens(int client) {
    return IntStream.range(0, 10).map(i -> 10 + 7 * client + i * i).toArray();
  }

  @Test
  void clientsAtATimeGetWhatEachWouldGetAlone() {
    try (Small small = new Small(Limits.standard(), state)) {
      List<CompletableFuture<List<Double>>> clients = new ArrayList<>();
      for (int c = 0; c < 4; c++) {
        int client = c;
        clients.add(CompletableFuture.supplyAsync(() -> {
          Wire wire = new Wire(small.uri());
          String session = wire.session();
          String model = wire.result(wire.create(session, 0, 4, (long) client)).get("model_id").asString();
          List<Double> losses = new ArrayList<>();
          for (int step = 0; step < 5; step++) {
            Wire.Answer pass = wire.forwardBackward(model, 2 * step + 1, tokens(client));
            wire.result(wire.optimStep(model, 2 * step + 2));
            losses.add(wire.result(pass).get("metrics").get("loss:sum").asDouble());
          }
          return losses;
        }));
      }
      for (int c = 0; c < 4; c++) {
        TrainingBackend alone = small.model.tune(Lora.rank(4).seed(c));
        List<Double> losses = clients.get(c).join();
        for (int step = 0; step < 5; step++) {
          double loss = Futures.join(alone.step(Batch.of(Datum.of(tokens(c))), Loss.crossEntropy(),
              AdamW.learningRate(0.001))).loss().loss();
          assertThat(losses.get(step)).as("client %d, step %d", c, step).isCloseTo(loss, within(1e-6));
        }
        alone.close();
      }
    }
  }

  @Test
  void aHundredSamplesInFlightAreThoseOfTheEngine() {
    try (Small small = new Small(Limits.standard(), state)) {
      String sampler = baseSampler(small, 0);
      Sampling.Params greedy = new Sampling.Params(6, null, null, 0.0, -1, 1.0);
      List<Wire.Answer> submitted = IntStream.range(0, 100).mapToObj(i -> small.wire.post(Paths.SAMPLE,
          Sampling.Sample.of(sampler, i, tokens(i % 7), 1, greedy, false))).toList();
      var local = Futures.join(small.model.sampler().sample(IntStream.range(0, 7).mapToObj(CrowdTest::tokens).toList(),
          dev.fettle.SamplingParams.greedy().maxTokens(6)));

      for (int i = 0; i < 100; i++) {
        JsonNode tokens = small.wire.result(submitted.get(i)).get("sequences").get(0).get("tokens");
        int[] got = IntStream.range(0, tokens.size()).map(j -> tokens.get(j).asInt()).toArray();
        assertThat(got).isEqualTo(local.get(i % 7).get(0).tokens());
      }
    }
  }

  @Test
  void clientsWithAdaptersOfTheirOwnSampleAtOnceWhatEachWouldAlone() {
    try (Small small = new Small(Limits.standard(), state)) {
      Sampling.Params greedy = new Sampling.Params(12, null, null, 0.0, -1, 1.0);
      List<String> samplers = new ArrayList<>();
      for (int c = 0; c < 6; c++) {
        String model = small.wire.model(small.wire.session(), 0);
        for (int step = 0; step < 3; step++) {
          small.wire.result(small.wire.forwardBackward(model, 2 * step + 1, tokens(c)));
          small.wire.result(small.wire.post(Paths.OPTIM_STEP, Steps.OptimStep.of(new Steps.AdamParams(0.02 * (c + 1), 0.9, 0.95,
              1e-8, 0.0, 0.0), model, 2 * step + 2)));
        }
        samplers.add(small.wire.result(small.wire.post(Paths.SAVE_FOR_SAMPLER, Weights.SaveForSampler.unnamed(model, 0, 7)))
            .get("sampling_session_id").asString());
      }
      List<JsonNode> alone = samplers.stream().map(s -> small.wire.result(small.wire.post(Paths.SAMPLE,
          Sampling.Sample.of(s, 0, TOKENS, 1, greedy, true)))).toList();

      List<Wire.Answer> submitted = IntStream.range(0, 24).mapToObj(i -> small.wire.post(Paths.SAMPLE,
          Sampling.Sample.of(samplers.get(i % 6), 1 + i, TOKENS, 1, greedy, true))).toList();

      for (int i = 0; i < 24; i++) {
        JsonNode together = small.wire.result(submitted.get(i));
        assertThat(together.get("sequences").get(0).get("tokens")).isEqualTo(alone.get(i % 6).get("sequences").get(0).get("tokens"));
        assertThat(together.get("prompt_logprobs")).isEqualTo(alone.get(i % 6).get("prompt_logprobs"));
      }
      assertThat(alone.stream().map(a -> a.get("sequences").get(0).get("tokens").toString()).distinct().count()).isGreaterThan(1);
    }
  }

  private static String baseSampler(Small small, int number) {
    return small.wire.post(Paths.CREATE_SAMPLING_SESSION, Sampling.CreateSession.of(small.wire.session(), number,
        "fettle-tiny", null)).text("sampling_session_id");
  }

  @Test
  void whatAClientMadeIsFreedWhenItIsSilent() throws Exception {
    try (Small small = new Small(Limits.standard(), state)) {
      vanish(small);
      long before = handles(small, Long.MAX_VALUE);
      vanish(small);

      assertThat(handles(small, before)).isEqualTo(before);
    }
  }

  /** The native handles, once there are no more than so many or that has been waited for in vain. */
  private static long handles(Small small, long most) throws InterruptedException {
    small.wire.result(small.wire.forwardBackward(small.wire.model(small.wire.session(), 0), 1, TOKENS));
    small.pass(301);
    for (int i = 0; i < 100 && Torch.liveHandles() > most; i++) {
      Thread.sleep(50);
    }
    return Torch.liveHandles();
  }

  private static void vanish(Small small) {
    String session = small.wire.session();
    String model = small.wire.model(session, 0);
    small.wire.result(small.wire.forwardBackward(model, 1, TOKENS));
    String snapshot = small.wire.result(small.wire.post(Paths.SAVE_FOR_SAMPLER, "{\"model_id\":\"" + model
        + "\",\"seq_id\":2}")).get("sampling_session_id").asString();
    assertThat(sample(small, snapshot, 0).get("sequences")).isNotNull();
    Wire.Answer held = small.wire.optimStep(model, 9);

    small.pass(200);
    assertThat(small.wire.post(Paths.HEARTBEAT, Map.of("session_id", session)).status()).isEqualTo(200);
    small.pass(200);
    assertThat(small.engine.trainings()).hasValue(1);
    assertThat(small.wire.post(Paths.GET_INFO, Map.of("model_id", model)).status()).isEqualTo(200);
    small.pass(301);

    assertThat(small.engine.trainings()).hasValue(0);
    assertThat(small.wire.post(Paths.HEARTBEAT, Map.of("session_id", session)).status()).isEqualTo(404);
    assertThat(small.wire.forwardBackward(model, 3, TOKENS).detail()).contains("load the state saved last");
    assertThat(small.wire.retrieve(held.text("request_id"), Paths.JSON).status()).isEqualTo(404);
    assertThat(small.engine.promises().unfinished()).isZero();
  }

  @Test
  void aFullQueueSendsClientsAwayAndLosesNothing() {
    try (Small small = new Small(Limits.standard().queue(6), state)) {
      String model = small.wire.model(small.wire.session(), 0);
      String other = small.wire.model(small.wire.session(), 0);
      List<Wire.Answer> taken = new ArrayList<>();
      for (int number = 2; number <= 4; number++) {
        taken.add(small.wire.forwardBackward(model, number, TOKENS));
      }

      Wire.Answer refused = small.wire.forwardBackward(model, 5, TOKENS);
      assertThat(refused.status()).isEqualTo(429);
      assertThat(refused.headers().get("Retry-After")).containsExactly("1");
      assertThat(refused.detail()).contains("3 of them yours");
      assertThat(small.wire.result(small.wire.forwardBackward(other, 1, TOKENS)).get("metrics")).isNotNull();

      taken.add(small.wire.forwardBackward(model, 1, TOKENS));
      taken.forEach(answer -> assertThat(small.wire.result(answer).get("metrics")).isNotNull());
      assertThat(small.wire.result(small.wire.forwardBackward(model, 5, TOKENS)).get("metrics")).isNotNull();
      assertThat(small.engine.promises().unfinished()).isZero();
    }
  }

  @Test
  void aNumberThatNeverComesIsWaitedForOnlySoLong() {
    try (Small small = new Small(Limits.standard(), state)) {
      String model = small.wire.model(small.wire.session(), 0);
      Wire.Answer second = small.wire.forwardBackward(model, 2, TOKENS);
      small.pass(61);

      JsonNode failed = small.wire.result(second);

      assertThat(failed.get("error").asString()).contains("seq_id 1 never came");
      assertThat(failed.get("category").asString()).isEqualTo("user");
      assertThat(small.wire.result(small.wire.forwardBackward(model, 3, TOKENS)).get("metrics")).isNotNull();
    }
  }

  @Test
  void whereThereIsNoRoomForAModelTheClientIsToldWhyItWaits() {
    try (Small small = new Small(Limits.standard().models(1).poll(Duration.ofMillis(50)), state)) {
      String session = small.wire.session();
      String first = small.wire.model(session, 0);
      String second = small.wire.create(session, 1, 4, 1L).text("request_id");

      Wire.Answer answer = small.wire.post(Paths.RETRIEVE, Map.of("request_id", second));
      assertThat(answer.status()).isEqualTo(408);
      JsonNode pending = answer.json();
      assertThat(pending.get("queue_state").asString()).isEqualTo("paused_capacity");
      assertThat(pending.get("queue_state_reason").asString()).contains("1 models are being trained");
      assertThat(small.wire.result(small.wire.forwardBackward(first, 1, TOKENS)).get("metrics")).isNotNull();

      small.wire.result(small.wire.post(Paths.UNLOAD_MODEL, Map.of("model_id", first)));
      assertThat(small.wire.retrieve(second, Paths.JSON).text("model_id")).isEqualTo(session + ":train:1");
      assertThat(small.wire.forwardBackward(first, 2, TOKENS).status()).isEqualTo(404);
    }
  }

  @Test
  void connectionsThatBreakOffOrSendNonsenseHarmNobody() throws Exception {
    try (Small small = new Small(Limits.standard(), state)) {
      String model = small.wire.model(small.wire.session(), 0);
      List<Socket> open = new ArrayList<>();
      for (String sent : List.of("GARBAGE\r\n\r\n",
          "POST /api/v1/forward_backward HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{",
          "POST /api/v1/optim_step HTTP/1.1\r\nContent-Length: -5\r\n\r\n", "GET /api/v1/healthz", "\r\n\r\n", "\0\0\0",
          "POST /api/v1/asample HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")) {
        for (boolean closed : new boolean[] {true, false}) {
          Socket socket = new Socket("127.0.0.1", small.server.address().getPort());
          socket.getOutputStream().write(sent.getBytes(StandardCharsets.ISO_8859_1));
          socket.getOutputStream().flush();
          if (closed) {
            socket.close();
          } else {
            open.add(socket);
          }
        }
      }
      String id = small.wire.forwardBackward(model, 1, TOKENS).text("request_id");
      try (Socket gone = new Socket("127.0.0.1", small.server.address().getPort())) {
        String body = "{\"request_id\":\"" + id + "\"}";
        gone.getOutputStream().write(("POST /api/v1/retrieve_future HTTP/1.1\r\nHost: a\r\nContent-Length: "
            + body.length()
            + "\r\n\r\n" + body).getBytes(StandardCharsets.ISO_8859_1));
      }

      assertThat(small.wire.retrieve(id, Paths.JSON).json().get("metrics")).isNotNull();
      for (Socket socket : open) {
        socket.close();
      }
    }
  }

  @Test
  void resultsStayForAWhileAfterTheyWereFetched() {
    try (Small small = new Small(Limits.standard(), state)) {
      String session = small.wire.session();
      String model = small.wire.model(session, 0);
      String id = small.wire.forwardBackward(model, 1, TOKENS).text("request_id");
      byte[] first = small.wire.retrieve(id, Paths.JSON).body();
      small.pass(200);

      assertThat(small.wire.retrieve(id, Paths.JSON).body()).isEqualTo(first);
      small.pass(200);
      small.wire.post(Paths.HEARTBEAT, Map.of("session_id", session));
      small.pass(200);
      assertThat(small.wire.retrieve(id, Paths.JSON).status()).isEqualTo(410);
      assertThat(small.wire.retrieve("none", Paths.JSON).status()).isEqualTo(404);
    }
  }

  @Test
  void largeResultsAreAnnouncedFirst() {
    try (Small small = new Small(Limits.standard().announced(80), state)) {
      String model = small.wire.model(small.wire.session(), 0);
      Wire.Answer submitted = small.wire.forwardBackward(model, 1, TOKENS);

      Wire.Answer announced = small.wire.result(submitted, Paths.PROTOBUF);
      Wire.Answer sent = small.wire.post(Paths.RETRIEVE, Map.of("request_id", submitted.text("request_id"),
          "allow_metadata_only", false), "Accept", Paths.PROTOBUF);

      assertThat(announced.text("status")).isEqualTo("complete_metadata");
      assertThat(announced.json().get("response_payload_size").asInt()).isEqualTo(sent.body().length);
    }
  }

  @Test
  void oldSnapshotsLeaveMemoryAndStoredOnesComeBack() {
    try (Small small = new Small(Limits.standard().samplers(2), state)) {
      String session = small.wire.session();
      String model = small.wire.model(session, 0);
      small.wire.result(small.wire.post(Paths.SAVE_FOR_SAMPLER, "{\"model_id\":\"" + model
          + "\",\"path\":\"kept\",\"seq_id\":1}"));
      String stored = small.wire.post(Paths.CREATE_SAMPLING_SESSION, Sampling.CreateSession.of(session, 9, null,
          "tinker://" + model + "/sampler_weights/kept")).text("sampling_session_id");
      assertThat(sample(small, stored, 0).get("sequences")).isNotNull();
      List<String> snapshots = new ArrayList<>();
      for (int i = 0; i < 3; i++) {
        snapshots.add(small.wire.result(small.wire.post(Paths.SAVE_FOR_SAMPLER, "{\"model_id\":\"" + model
            + "\",\"seq_id\":"
            + (i + 2) + ",\"sampling_session_seq_id\":" + i + "}")).get("sampling_session_id").asString());
      }

      assertThat(sample(small, snapshots.get(2), 0).get("sequences")).isNotNull();
      assertThat(sample(small, snapshots.get(0), 0).get("error").asString()).contains("dropped for newer ones");
      assertThat(sample(small, stored, 1).get("sequences")).isNotNull();
    }
  }

  private static JsonNode sample(Small small, String sampler, int number) {
    return small.wire.result(small.wire.post(Paths.SAMPLE, Sampling.Sample.of(sampler, number, TOKENS, 1,
        new Sampling.Params(2, null, null, 0.0, -1, 1.0), false)));
  }

  @Test
  void checkpointsEndWhenTheirTimeIsOver() {
    try (Small small = new Small(Limits.standard(), state)) {
      String model = small.wire.model(small.wire.session(), 0);
      small.wire.result(small.wire.post(Paths.SAVE_WEIGHTS, "{\"model_id\":\"" + model
          + "\",\"path\":\"short\",\"seq_id\":1,\"ttl_seconds\":10}"));
      String list = "api/v1/training_runs/" + model + "/checkpoints";

      small.pass(9);
      assertThat(small.wire.get(list).json().get("checkpoints").size()).isEqualTo(1);
      small.pass(2);
      assertThat(small.wire.get(list).json().get("checkpoints").size()).isZero();
      assertThat(state.resolve(model.replace(":", "%3A")).resolve("weights").toFile().list()).isEmpty();
    }
  }

  @Test
  void afterARestartTheStateSavedLastIsThere() {
    String model;
    String path;
    double next;
    try (Small small = new Small(Limits.standard(), state)) {
      model = small.wire.model(small.wire.session(), 0);
      small.wire.result(small.wire.forwardBackward(model, 1, TOKENS));
      small.wire.result(small.wire.optimStep(model, 2));
      path = small.wire.result(small.wire.post(Paths.SAVE_WEIGHTS, "{\"model_id\":\"" + model
          + "\",\"path\":\"last\",\"seq_id\":3}")).get("path").asString();
      next = small.wire.result(small.wire.forwardBackward(model, 4, TOKENS)).get("metrics").get("loss:sum").asDouble();
    }
    try (Small small = new Small(Limits.standard(), state)) {
      assertThat(small.wire.forwardBackward(model, 5, TOKENS).detail()).contains("restarted",
          "load the state saved last");
      String fresh = small.wire.model(small.wire.session(), 0);
      small.wire.result(small.wire.post(Paths.LOAD_WEIGHTS, Map.of("model_id", fresh, "seq_id", 1, "path", path,
          "optimizer",
          true)));

      assertThat(small.wire.result(small.wire.forwardBackward(fresh, 2,
          TOKENS)).get("metrics").get("loss:sum").asDouble())
          .isCloseTo(next, within(1e-6));
      assertThat(small.wire.get("api/v1/training_runs/" + model).json().get("lora_rank").asInt()).isEqualTo(8);
    }
  }

  @Test
  void closingLeavesNoThread() throws Exception {
    Small small = new Small(Limits.standard(), state);
    String model = small.wire.model(small.wire.session(), 0);
    Wire.Answer held = small.wire.optimStep(model, 7);
    CompletableFuture<Integer> poll = CompletableFuture.supplyAsync(() -> {
      try {
        return small.wire.retrieve(held.text("request_id"), Paths.JSON).status();
      } catch (IllegalStateException cut) {
        return 0;
      }
    });
    small.close();
    small.close();

    assertThat(poll.join()).isIn(0, 200, 404, 503);
    for (int i = 0; i < 100 && threads() > 0; i++) {
      Thread.sleep(50);
    }
    assertThat(threads()).isZero();
  }

  private static long threads() {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(t -> t.getName().matches("fettle-(http|serve).*")).count();
  }
}
