package dev.fettle.internal.serve;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.fettle.AdamW;
import dev.fettle.BaseModel;
import dev.fettle.Batch;
import dev.fettle.DType;
import dev.fettle.Datum;
import dev.fettle.Fettle;
import dev.fettle.FettleServer;
import dev.fettle.Lora;
import dev.fettle.Loss;
import dev.fettle.LossResult;
import dev.fettle.OptimResult;
import dev.fettle.Sample;
import dev.fettle.SamplingParams;
import dev.fettle.Training;
import dev.fettle.internal.json.JsonNode;
import dev.fettle.internal.wire.OutputProto;
import dev.fettle.internal.wire.PassProto;
import dev.fettle.internal.wire.Passes;
import dev.fettle.internal.wire.Paths;
import dev.fettle.internal.wire.SampleProto;
import dev.fettle.internal.wire.Sampling;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a client sees of a server, message by message. */
class ServerTest {
  private static final int[] TOKENS = {5, 6, 7, 8, 9, 10, 11, 12};

  @TempDir
  static Path state;
  private static Fettle fettle;
  private static BaseModel base;
  private static FettleServer server;
  private static Wire wire;

  @BeforeAll
  static void start() {
    fettle = Fettle.local();
    base = fettle.load("fettle-tiny", DType.F32);
    server = FettleServer.serve(fettle, base).state(state).token(() -> "tml-test").start();
    wire = new Wire(server.uri());
  }

  @AfterAll
  static void stop() {
    server.close();
    fettle.close();
  }

  @Test
  void aTrainingOverTheWireGivesWhatTheEngineGives() {
    String session = wire.session();
    String model = wire.model(session, 0);
    assertThat(model).isEqualTo(session + ":train:0");
    try (Training training = base.tune(Lora.rank(8).seed(7))) {
      for (int step = 0; step < 3; step++) {
        JsonNode pass = wire.result(wire.forwardBackward(model, 2 * step + 1, TOKENS));
        JsonNode optim = wire.result(wire.optimStep(model, 2 * step + 2));
        LossResult loss = training.forwardBackward(Batch.of(Datum.of(TOKENS)), Loss.crossEntropy());
        OptimResult done = training.optimStep(AdamW.learningRate(0.001));

        assertThat(pass.get("metrics").get("loss:sum").asDouble()).isCloseTo(loss.loss(), within(1e-6));
        JsonNode logprobs = pass.get("loss_fn_outputs").get(0).get("logprobs");
        assertThat(logprobs.get("dtype").asString()).isEqualTo("float32");
        assertThat(logprobs.get("data").get(3).asDouble()).isCloseTo(loss.logprobs().get(0)[3], within(1e-6));
        assertThat(optim.get("metrics").get("grad_norm").asDouble()).isCloseTo(done.gradientNorm(), within(1e-6));
      }
    }
  }

  @Test
  void aPassAsProtobufGivesTheSameAsOneInJson() {
    String model = wire.model(wire.session(), 0);
    Passes.Pass forward = new Passes.Pass(model, 1, List.of(Wire.datum(TOKENS)), "cross_entropy", null, true);

    Wire.Answer proto = wire.result(wire.send("POST", Paths.FORWARD_BACKWARD, PassProto.write(forward), "Content-Type",
        Paths.PROTOBUF), Paths.PROTOBUF);
    JsonNode json = wire.result(wire.send("POST", Paths.FORWARD, new Passes.Pass(model, 2, forward.data(),
        "cross_entropy", null, true).json(), "Content-Type", Paths.JSON));

    assertThat(proto.type()).isEqualTo(Paths.PROTOBUF);
    Passes.Output output = OutputProto.read(proto.body());
    assertThat(output.metrics().get("loss:sum")).isEqualTo(json.get("metrics").get("loss:sum").asDouble());
    assertThat(output.lossFnOutputs().get(0).get("logprobs").floats()).hasSize(7);
  }

  @Test
  void samplesAndPromptLogprobsAreThoseOfTheEngine() {
    String session = wire.session();
    String sampler = wire.post(Paths.CREATE_SAMPLING_SESSION, Sampling.CreateSession.of(session, 0, "fettle-tiny",
        null))
        .text("sampling_session_id");
    assertThat(sampler).isEqualTo(session + ":sample:0");
    Sampling.Params greedy = new Sampling.Params(12, null, null, 0.0, -1, 1.0);

    Sampling.Result result = SampleProto.read(wire.result(wire.post(Paths.SAMPLE,
        Sampling.Sample.of(sampler, 0, TOKENS, 1, greedy, true)), Paths.PROTOBUF).body());

    Sample local = base.sampler().sample(TOKENS, SamplingParams.greedy().maxTokens(12)).get(0);
    assertThat(result.sequences().get(0).tokens()).isEqualTo(local.tokens());
    for (int i = 0; i < local.logprobs().length; i++) {
      assertThat(result.sequences().get(0).logprobs()[i]).isCloseTo(local.logprobs()[i], within(1e-6f));
    }
    assertThat(result.promptLogprobs()).hasSize(TOKENS.length);
    assertThat(result.promptLogprobs().get(0)).isNull();
    assertThat(result.promptLogprobs().get(3)).isCloseTo(base.sampler().logprobs(TOKENS)[2], within(1e-6f));
  }

  @Test
  void aSeedGivesTheSamplesOfTheEngineWhateverElseIsSampled() {
    String session = wire.session();
    String sampler = wire.post(Paths.CREATE_SAMPLING_SESSION, Sampling.CreateSession.of(session, 0, "fettle-tiny",
        null))
        .text("sampling_session_id");
    Sampling.Params params = new Sampling.Params(10, 42L, null, 1.0, -1, 1.0);
    wire.post(Paths.SAMPLE, Sampling.Sample.of(sampler, 0, TOKENS, 2, new Sampling.Params(10, null, null, 1.0, -1,
        1.0), false));

    JsonNode result = wire.result(wire.post(Paths.SAMPLE, Sampling.Sample.of(sampler, 1, TOKENS, 3, params, false)));

    List<Sample> local = base.sampler().sample(TOKENS, SamplingParams.standard().maxTokens(10).seed(42).samples(3));
    for (int i = 0; i < 3; i++) {
      int[] tokens = new int[local.get(i).tokens().length];
      for (int j = 0; j < tokens.length; j++) {
        tokens[j] = result.get("sequences").get(i).get("tokens").get(j).asInt();
      }
      assertThat(tokens).isEqualTo(local.get(i).tokens());
    }
  }

  @Test
  void aRequestThatComesAgainIsNotDoneAgain() {
    String session = wire.session();
    assertThat(wire.create(session, 0, 8, 7L).text("request_id")).isEqualTo(wire.create(session, 0, 8,
        7L).text("request_id"));
    assertThat(wire.create(session, 0, 4, 7L).status()).isEqualTo(409);
    String model = wire.model(session, 0);

    Wire.Answer first = wire.forwardBackward(model, 1, TOKENS);
    Wire.Answer again = wire.forwardBackward(model, 1, TOKENS);
    Wire.Answer proto = wire.send("POST", Paths.FORWARD_BACKWARD, PassProto.write(Wire.pass(model, 1, TOKENS)),
        "Content-Type",
        Paths.PROTOBUF);
    Wire.Answer other = wire.forwardBackward(model, 1, 5, 6, 7);
    Wire.Answer step = wire.optimStep(model, 2);
    Wire.Answer stepAgain = wire.optimStep(model, 2);

    assertThat(again.text("request_id")).isEqualTo(first.text("request_id")).isEqualTo(proto.text("request_id"));
    assertThat(stepAgain.text("request_id")).isEqualTo(step.text("request_id"));
    assertThat(other.status()).isEqualTo(409);
    assertThat(wire.result(step).get("metrics").get("step").asDouble()).isEqualTo(1);
  }

  @Test
  void anIdempotencyKeyGivesTheSameSession() {
    String body = "{\"tags\":[],\"user_metadata\":{},\"sdk_version\":\"1\"}";
    Wire.Answer first = wire.post(Paths.CREATE_SESSION, body, Paths.IDEMPOTENCY_KEY, "key-1");
    Wire.Answer again = wire.post(Paths.CREATE_SESSION, body, Paths.IDEMPOTENCY_KEY, "key-1");

    assertThat(again.text("session_id")).isEqualTo(first.text("session_id")).isNotEqualTo(wire.session());
    assertThat(wire.post(Paths.CREATE_SESSION, "{}", Paths.IDEMPOTENCY_KEY, "key-1").status()).isEqualTo(409);
  }

  @Test
  void aNumberThatComesEarlyWaitsForThoseBeforeIt() {
    String model = wire.model(wire.session(), 0);

    Wire.Answer third = wire.optimStep(model, 3);
    Wire.Answer second = wire.forwardBackward(model, 2, 20, 21, 22, 23);
    Wire.Answer first = wire.forwardBackward(model, 1, TOKENS);

    assertThat(wire.result(first).get("metrics").get("loss:sum").asDouble()).isPositive();
    double together = wire.result(third).get("metrics").get("grad_norm").asDouble();
    assertThat(wire.result(second).get("metrics").get("loss:sum").asDouble()).isPositive();
    try (Training training = base.tune(Lora.rank(8).seed(7))) {
      training.forwardBackward(Batch.of(Datum.of(TOKENS)), Loss.crossEntropy());
      training.forwardBackward(Batch.of(Datum.of(20, 21, 22, 23)), Loss.crossEntropy());
      assertThat(together).isCloseTo(training.optimStep(AdamW.learningRate(0.001)).gradientNorm(), within(1e-6));
    }
  }

  @Test
  void aRefusedRequestIsNotWaitedFor() {
    String model = wire.model(wire.session(), 0);

    assertThat(wire.forwardBackward(model, 1, 5, 6, 1_000_000).status()).isEqualTo(400);
    assertThat(wire.result(wire.forwardBackward(model, 2,
        TOKENS)).get("metrics").get("loss:sum").asDouble()).isPositive();
    assertThat(wire.result(wire.forwardBackward(model, 1,
        TOKENS)).get("metrics").get("loss:sum").asDouble()).isPositive();
  }

  @Test
  void whatTheEngineRefusesIsAnErrorOfTheUser() {
    String model = wire.model(wire.session(), 0);

    JsonNode failed = wire.result(wire.optimStep(model, 1));

    assertThat(failed.get("error").asString()).contains("without a gradient");
    assertThat(failed.get("category").asString()).isEqualTo("user");
  }

  @Test
  void badInputIsRefusedWithAMessageAndHarmsNobody() {
    String model = wire.model(wire.session(), 0);
    Map<String, Integer> bodies = new HashMap<>(Map.of("", 422, "{", 422, "[]", 422, "null", 422, "{\"model_id\":7.5}",
        404,
        "{}", 422));
    for (String path : List.of(Paths.FORWARD_BACKWARD, Paths.FORWARD, Paths.OPTIM_STEP, Paths.SAVE_WEIGHTS,
        Paths.LOAD_WEIGHTS,
        Paths.SAVE_FOR_SAMPLER, Paths.SAMPLE, Paths.RETRIEVE, Paths.CREATE_MODEL, Paths.GET_INFO, Paths.HEARTBEAT,
        Paths.UNLOAD_MODEL, Paths.CREATE_SAMPLING_SESSION, Paths.WEIGHTS_INFO)) {
      bodies.forEach((body, status) -> {
        Wire.Answer answer = wire.post(path, body);
        assertThat(answer.status()).as(path + " " + body).isBetween(400, 422);
        assertThat(answer.detail()).as(path + " " + body).isNotBlank();
      });
      byte[] noise = new byte[300];
      new java.util.Random(1).nextBytes(noise);
      Wire.Answer answer = wire.send("POST", path, noise, "Content-Type", Paths.PROTOBUF);
      assertThat(answer.status()).as(path).isBetween(400, 422);
    }
    int[] tooLong = new int[base.contextLength() + 2];
    assertThat(wire.forwardBackward(model, 1, tooLong).detail()).contains("context is " + base.contextLength());
    assertThat(wire.forwardBackward("s1:train:0", 1, TOKENS)).matches(a -> a.status() == 404)
        .extracting(Wire.Answer::detail).asString().contains("load the state saved last");
    assertThat(wire.get("api/v1/nothing").status()).isEqualTo(404);
    assertThat(wire.get("other").status()).isEqualTo(404);
    assertThat(wire.get(Paths.SAMPLE).status()).isEqualTo(405);
    assertThat(wire.send("POST", Paths.OPTIM_STEP, new byte[] {1}, "Content-Encoding", "zstd").status()).isEqualTo(415);
    assertThat(wire.create(wire.session(), 0, -1, null).status()).isEqualTo(400);
    assertThat(wire.create(wire.session(), 0, 2_000_000_000, null).detail()).contains("at most 1024");
    assertThat(wire.send("POST", Paths.CREATE_SESSION, "{}".getBytes(StandardCharsets.UTF_8), "Origin",
        "https://page").status())
        .isEqualTo(403);
    assertThat(wire.post(Paths.CREATE_MODEL, "{\"session_id\":\"" + wire.session() + "\",\"base_model\":\"other\","
        + "\"lora_config\":{\"rank\":4}}").detail()).contains("this server has fettle-tiny");
    assertThat(wire.result(wire.forwardBackward(model, 1,
        TOKENS)).get("metrics").get("loss:sum").asDouble()).isPositive();
  }

  @Test
  void onlyTheTokenOpensTheDoor() {
    assertThat(new Wire(server.uri()).token("tml-other").get(Paths.CAPABILITIES)).matches(a -> a.status() == 401)
        .extracting(Wire.Answer::detail).asString().doesNotContain("tml-");
    assertThat(new Wire(server.uri()).token(null).post(Paths.CREATE_SESSION, "{}").status()).isEqualTo(401);
    assertThat(new Wire(server.uri()).token(null).get(Paths.HEALTH).text("status")).isEqualTo("ok");
    assertThat(wire.get(Paths.CAPABILITIES).json().get("supported_models").get(0).get("model_name").asString())
        .isEqualTo("fettle-tiny");
    assertThat(server.toString()).doesNotContain("tml-test");
  }

  @Test
  void aModelSaysWhatItIs() {
    String model = wire.model(wire.session(), 0);

    JsonNode info = wire.post(Paths.GET_INFO, Map.of("model_id", model, "type", "get_info")).json();

    assertThat(info.get("model_id").asString()).isEqualTo(model);
    assertThat(info.get("is_lora").asBoolean()).isTrue();
    assertThat(info.get("lora_rank").asInt()).isEqualTo(8);
    assertThat(info.get("model_data").get("tokenizer_id").asString()).isEqualTo("fettle-tiny");
    assertThat(wire.post(Paths.UNLOAD_MODEL, Map.of("model_id", model)).status()).isEqualTo(200);
  }

  @Test
  void everyLossOfTheProtocolIsThere() {
    String model = wire.model(wire.session(), 0);
    Map<String, String> configs = Map.of("importance_sampling", "null", "ppo", "{\"clip_low_threshold\":0.9}", "cispo",
        "null", "dro", "{\"beta\":0.05}");
    int number = 1;
    for (Map.Entry<String, String> loss : configs.entrySet()) {
      String body = "{\"forward_backward_input\":{\"data\":[{\"model_input\":{\"chunks\":[{\"type\":\"encoded_text\","
          + "\"tokens\":[5,6,7]}]},\"loss_fn_inputs\":{\"target_tokens\":{\"data\":[6,7,8],\"dtype\":\"int64\"},"
          + "\"logprobs\":{\"data\":[0,-2.5,-3.5],\"dtype\":\"float32\"},\"advantages\":{\"data\":[0,1,-1],"
          + "\"dtype\":\"float32\",\"shape\":[3]}}}],\"loss_fn\":\"" + loss.getKey() + "\",\"loss_fn_config\":"
          + loss.getValue()
          + "},\"model_id\":\"" + model + "\",\"seq_id\":" + number++ + "}";
      JsonNode result = wire.result(wire.post(Paths.FORWARD_BACKWARD, body));
      assertThat(result.get("metrics")).as(loss.getKey()).isNotNull();
      assertThat(result.get("metrics").get("loss:sum").asDouble()).as(loss.getKey()).isNotZero();
      assertThat(wire.post(Paths.FORWARD_BACKWARD, body.replace("advantages", "mask")).detail()).contains("mask");
    }
    assertThat(wire.post(Paths.FORWARD_BACKWARD, Wire.pass(model, 9, TOKENS)).status()).isEqualTo(422);
    String unknown = new String(Wire.pass(model, 9, TOKENS).json(), StandardCharsets.UTF_8);
    assertThat(wire.post(Paths.FORWARD_BACKWARD, unknown.replace("cross_entropy", "gspo")).detail())
        .contains("gspo", "cross_entropy");
  }

  @Test
  void stateIsSavedAndLoadedAgain() {
    String model = wire.model(wire.session(), 0);
    wire.result(wire.forwardBackward(model, 1, TOKENS));
    wire.result(wire.optimStep(model, 2));
    String save = "{\"model_id\":\"" + model + "\",\"path\":\"one\",\"seq_id\":3,\"type\":\"save_weights\"}";
    JsonNode saved = wire.result(wire.post(Paths.SAVE_WEIGHTS, save));
    assertThat(saved.get("path").asString()).isEqualTo("tinker://" + model + "/weights/one");
    assertThat(wire.result(wire.post(Paths.SAVE_WEIGHTS, save.replace(":3", ":4"))).get("error").asString())
        .contains("exists already");
    double next = wire.result(wire.forwardBackward(model, 5, TOKENS)).get("metrics").get("loss:sum").asDouble();
    double norm = wire.result(wire.optimStep(model, 6)).get("metrics").get("grad_norm").asDouble();
    double after = wire.result(wire.forwardBackward(model, 7, TOKENS)).get("metrics").get("loss:sum").asDouble();

    for (boolean optimizer : new boolean[] {true, false}) {
      String other = wire.model(wire.session(), 0);
      JsonNode loaded = wire.result(wire.post(Paths.LOAD_WEIGHTS, load(other, 1, saved, optimizer)));
      assertThat(loaded.get("model_id").asString()).isEqualTo(other);
      assertThat(wire.result(wire.forwardBackward(other, 2, TOKENS)).get("metrics").get("loss:sum").asDouble())
          .isCloseTo(next, within(1e-6));
      JsonNode step = wire.result(wire.optimStep(other, 3)).get("metrics");
      assertThat(step.get("grad_norm").asDouble()).isCloseTo(norm, within(1e-6));
      assertThat(step.get("step").asDouble()).isEqualTo(optimizer ? 2 : 1);
      double again = wire.result(wire.forwardBackward(other, 4, TOKENS)).get("metrics").get("loss:sum").asDouble();
      if (optimizer) {
        assertThat(again).isCloseTo(after, within(1e-6));
      } else {
        assertThat(again).isNotCloseTo(after, within(1e-6));
      }
      assertThat(wire.post(Paths.LOAD_WEIGHTS, load(other, 5, saved, optimizer)).detail()).contains("first request");
    }
  }

  private static String load(String model, int number, JsonNode saved, boolean optimizer) {
    return "{\"model_id\":\"" + model + "\",\"seq_id\":" + number + ",\"path\":" + saved.get("path") + ",\"optimizer\":"
        + optimizer + ",\"type\":\"load_weights\"}";
  }

  @Test
  void checkpointsAreListedSharedFetchedAndDeleted() {
    String session = wire.session();
    String model = wire.model(session, 3);
    wire.result(wire.post(Paths.SAVE_FOR_SAMPLER, "{\"model_id\":\"" + model + "\",\"path\":\"final\",\"seq_id\":1}"));
    wire.result(wire.post(Paths.SAVE_WEIGHTS, "{\"model_id\":\"" + model + "\",\"path\":\"one\",\"seq_id\":2,"
        + "\"ttl_seconds\":3600}"));
    String runs = "api/v1/training_runs/" + model;

    JsonNode list = wire.get(runs + "/checkpoints").json().get("checkpoints");
    assertThat(list.size()).isEqualTo(2);
    assertThat(list.get(0).get("checkpoint_id").asString()).isEqualTo("sampler_weights/final");
    assertThat(list.get(0).get("checkpoint_type").asString()).isEqualTo("sampler");
    assertThat(list.get(0).get("size_bytes").asLong()).isPositive();
    assertThat(list.get(1).get("tinker_path").asString()).isEqualTo("tinker://" + model + "/weights/one");
    assertThat(list.get(1).get("expires_at").asString()).contains("T");
    assertThat(wire.get("api/v1/checkpoints?limit=1").json().get("checkpoints").size()).isEqualTo(1);
    assertThat(wire.get(runs).json().get("last_checkpoint").get("checkpoint_id").asString()).isEqualTo("weights/one");
    assertThat(wire.get("api/v1/training_runs").json().get("cursor").get("total_count").asInt()).isPositive();
    assertThat(wire.get("api/v1/sessions/"
        + session).json().get("training_run_ids").get(0).asString()).isEqualTo(model);
    assertThat(wire.post(Paths.WEIGHTS_INFO, Map.of("tinker_path", "tinker://" + model + "/weights/one")).json()
        .get("lora_rank").asInt()).isEqualTo(8);

    String one = runs + "/checkpoints/weights/one";
    assertThat(wire.send("PUT", one + "/ttl",
        "{\"ttl_seconds\":null}".getBytes(StandardCharsets.UTF_8)).status()).isEqualTo(204);
    assertThat(wire.get(runs + "/checkpoints").json().get("checkpoints").get(1).get("expires_at")).isNull();
    assertThat(wire.send("PUT", one + "/ttl",
        "{\"ttl_seconds\":0}".getBytes(StandardCharsets.UTF_8)).status()).isEqualTo(400);
    assertThat(wire.send("POST", one + "/publish", null).status()).isEqualTo(204);
    assertThat(wire.send("POST", one + "/publish", null).status()).isEqualTo(409);

    Wire.Answer archive = wire.get(runs + "/checkpoints/sampler_weights/final/archive");
    assertThat(archive.status()).isEqualTo(302);
    assertThat(archive.headers()).containsKey("Expires");
    Wire.Answer tar = new Wire(server.uri()).token(null)
        .get(URI.create(archive.headers().get("Location").get(0)).getPath().substring(1));
    assertThat(names(tar.body())).containsExactly("adapter_config.json", "adapter_model.safetensors",
        "checkpoint_complete");

    assertThat(wire.send("DELETE", one, null).status()).isEqualTo(204);
    assertThat(wire.send("DELETE", one, null).status()).isEqualTo(404);
    assertThat(wire.get(runs + "/checkpoints").json().get("checkpoints").size()).isEqualTo(1);
    assertThat(wire.send("DELETE", runs + "/checkpoints/weights/..", null).status()).isEqualTo(400);
  }

  private static List<String> names(byte[] tar) {
    List<String> names = new java.util.ArrayList<>();
    for (int at = 0; tar[at] != 0;) {
      String name = new String(tar, at, 100, StandardCharsets.US_ASCII).replace("\0", "");
      long size = Long.parseLong(new String(tar, at + 124, 11, StandardCharsets.US_ASCII), 8);
      names.add(name);
      at += 512 + (int) ((size + 511) / 512 * 512);
    }
    return names;
  }

  @Test
  void savedWeightsAreSampledByPathAndWithoutAName() {
    String session = wire.session();
    String model = wire.model(session, 0);
    wire.result(wire.forwardBackward(model, 1, TOKENS));
    wire.result(wire.optimStep(model, 2));
    JsonNode named = wire.result(wire.post(Paths.SAVE_FOR_SAMPLER, "{\"model_id\":\"" + model
        + "\",\"path\":\"a.1\",\"seq_id\":3}"));
    Wire.Answer unnamed = wire.post(Paths.SAVE_FOR_SAMPLER, "{\"model_id\":\"" + model
        + "\",\"sampling_session_seq_id\":0,\"seq_id\":4}");
    Wire.Answer again = wire.post(Paths.SAVE_FOR_SAMPLER, "{\"model_id\":\"" + model
        + "\",\"sampling_session_seq_id\":1,\"seq_id\":4}");
    assertThat(again.text("request_id")).isEqualTo(unnamed.text("request_id"));
    String live = wire.result(unnamed).get("sampling_session_id").asString();
    String stored = wire.post(Paths.CREATE_SAMPLING_SESSION, Sampling.CreateSession.of(session, 5, null,
        named.get("path").asString())).text("sampling_session_id");
    Sampling.Params greedy = new Sampling.Params(12, null, null, 0.0, -1, 1.0);

    JsonNode a = wire.result(wire.post(Paths.SAMPLE, Sampling.Sample.of(live, 0, TOKENS, 1, greedy, true)));
    JsonNode b = wire.result(wire.post(Paths.SAMPLE, Sampling.Sample.of(stored, 0, TOKENS, 1, greedy, true)));

    assertThat(a.get("sequences").toString()).isEqualTo(b.get("sequences").toString());
    assertThat(a.get("prompt_logprobs").get(1).asDouble()).isCloseTo(b.get("prompt_logprobs").get(1).asDouble(),
        within(1e-6));
    assertThat(wire.get("api/v1/samplers/" + stored).text("model_path")).isEqualTo(named.get("path").asString());
    assertThat(wire.post(Paths.CREATE_SAMPLING_SESSION, Sampling.CreateSession.of(session, 6, null,
        "tinker://" + model + "/sampler_weights/none")).status()).isEqualTo(404);
  }

  @Test
  void rankZeroTrainsAllWeights() {
    String session = wire.session();
    String model = wire.result(wire.create(session, 0, 0, null)).get("model_id").asString();
    wire.result(wire.forwardBackward(model, 1, TOKENS));
    wire.result(wire.optimStep(model, 2));
    JsonNode named = wire.result(wire.post(Paths.SAVE_FOR_SAMPLER, "{\"model_id\":\"" + model
        + "\",\"path\":\"full\",\"seq_id\":3}"));
    String live = wire.result(wire.post(Paths.SAVE_FOR_SAMPLER, "{\"model_id\":\"" + model + "\",\"seq_id\":4}"))
        .get("sampling_session_id").asString();
    String stored = wire.post(Paths.CREATE_SAMPLING_SESSION, Sampling.CreateSession.of(session, 5, null,
        named.get("path").asString())).text("sampling_session_id");
    Sampling.Params greedy = new Sampling.Params(12, null, null, 0.0, -1, 1.0);

    JsonNode a = wire.result(wire.post(Paths.SAMPLE, Sampling.Sample.of(live, 0, TOKENS, 1, greedy, false)));
    JsonNode b = wire.result(wire.post(Paths.SAMPLE, Sampling.Sample.of(stored, 0, TOKENS, 1, greedy, false)));

    assertThat(wire.post(Paths.GET_INFO, Map.of("model_id", model)).json().get("is_lora").asBoolean()).isFalse();
    assertThat(a.get("sequences").get(0).get("tokens").toString())
        .isEqualTo(b.get("sequences").get(0).get("tokens").toString());
  }
}
