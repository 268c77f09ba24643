package dev.fettle.internal.serve;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.fettle.internal.json.JsonNode;
import dev.fettle.internal.wire.PassProto;
import dev.fettle.internal.wire.Paths;
import dev.fettle.internal.wire.Sampling;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What clients ask for since version 0.26 of the SDK. */
class NewClientsTest {
  private static final int[] TOKENS = {5, 6, 7, 8, 9, 10, 11, 12};

  @TempDir
  Path state;
  private Small small;
  private Wire wire;

  @BeforeEach
  void start() {
    small = new Small(Limits.standard().poll(java.time.Duration.ofMillis(200)), state);
    wire = small.wire;
  }

  @AfterEach
  void stop() {
    small.close();
  }

  private String sampler(String session) {
    return wire.post(Paths.CREATE_SAMPLING_SESSION, Sampling.CreateSession.of(session, 0, "fettle-tiny", null))
        .text("sampling_session_id");
  }

  /** A request for samples as version 0.32 sends it. */
  private Wire.Answer sample(String sampler, long number, int samples, String more) {
    return wire.post(Paths.SAMPLE, "{\"num_samples\":" + samples + ",\"prompt\":{\"chunks\":[{\"tokens\":[5,6,7],\"type\":"
        + "\"encoded_text\"}]},\"sampling_params\":{\"max_tokens\":4,\"temperature\":1.0,\"top_k\":-1,\"top_p\":1.0},"
        + "\"sampling_session_id\":\"" + sampler + "\",\"seq_id\":" + number + ",\"prompt_logprobs\":false,"
        + "\"topk_prompt_logprobs\":0,\"topk_sample_logprobs\":0,\"prompt_alt_tokens_k\":0,"
        + "\"record_stability_info\":false,\"type\":\"sample\"" + more + "}");
  }

  @Test
  void eachSampleHasANameFromTheStart() {
    String sampler = sampler(wire.session());

    Wire.Answer submitted = sample(sampler, 0, 3, "");
    JsonNode names = submitted.json().get("sample_sequence_ids");

    assertThat(names.size()).isEqualTo(3);
    assertThat(List.of(names.get(0).asString(), names.get(1).asString(), names.get(2).asString()))
        .doesNotHaveDuplicates().allMatch(name -> !name.isEmpty());
    assertThat(sample(sampler, 0, 3, "").json().get("sample_sequence_ids")).isEqualTo(names);
    assertThat(sample(sampler, 1, 1, "").json().get("sample_sequence_ids").get(0)).isNotEqualTo(names.get(0));
    assertThat(wire.result(submitted).get("sequences").size()).isEqualTo(3);
    assertThat(wire.forwardBackward(wire.model(wire.session(), 0), 1, TOKENS).json().get("sample_sequence_ids")).isNull();
  }

  @ParameterizedTest
  @CsvSource(delimiter = '|', value = {"prompt_alt_tokens_k|1|422", "topk_prompt_logprobs|129|400",
      "topk_sample_logprobs|-1|400", "prompt_logprobs_last_n|1|400",
      "target_prompt_logprobs|{\"data\":[6,7,8],\"dtype\":\"int64\",\"shape\":[3,1]}|400",
      "target_prompt_logprobs|{\"data\":[6.0,7.0],\"dtype\":\"float32\",\"shape\":[2,1]}|400",
      "target_prompt_logprobs|{\"data\":[6,1000000],\"dtype\":\"int64\",\"shape\":[2,1]}|400"})
  void whatIsNotDoneIsRefusedByName(String option, String value, int status) {
    Wire.Answer answer = sample(sampler(wire.session()), 0, 1, ",\"" + option + "\":" + value);

    assertThat(answer.status()).isEqualTo(status);
    assertThat(answer.detail()).contains(option);
  }

  @Test
  void theLikeliestTokensOfPromptAndSampleAreThere() {
    String sampler = sampler(wire.session());
    JsonNode result = wire.result(wire.post(Paths.SAMPLE, "{\"prompt\":{\"chunks\":[{\"tokens\":[5,6,7],\"type\":"
        + "\"encoded_text\"}]},\"sampling_params\":{\"max_tokens\":4,\"temperature\":0},\"sampling_session_id\":\"" + sampler
        + "\",\"prompt_logprobs\":true,\"topk_prompt_logprobs\":3,\"topk_sample_logprobs\":2,\"seq_id\":0}"));
    JsonNode top = result.get("topk_prompt_logprobs");
    JsonNode sequence = result.get("sequences").get(0);
    JsonNode ofSample = sequence.get("topk_sampled_logprobs");

    assertThat(top.size()).isEqualTo(3);
    assertThat(top.get(0).isNull()).isTrue();
    assertThat(ofSample.size()).isEqualTo(sequence.get("tokens").size());
    for (int i = 0; i < ofSample.size(); i++) {
      assertThat(ofSample.get(i).size()).isEqualTo(2);
      assertThat(ofSample.get(i).get(0).get(0).asInt()).isEqualTo(sequence.get("tokens").get(i).asInt());
      assertThat(ofSample.get(i).get(0).get(1).asDouble()).isCloseTo(sequence.get("logprobs").get(i).asDouble(), within(1e-4))
          .isGreaterThan(ofSample.get(i).get(1).get(1).asDouble());
    }
    String asked = "[" + top.get(1).get(0).get(0) + "," + top.get(1).get(2).get(0) + ",6," + top.get(2).get(1).get(0) + ",-1,7]";
    JsonNode targets = wire.result(sample(sampler, 1, 1, ",\"target_prompt_logprobs\":{\"data\":" + asked
        + ",\"dtype\":\"int64\",\"shape\":[2,3]}")).get("target_prompt_logprobs");
    double[] expected = {top.get(1).get(0).get(1).asDouble(), top.get(1).get(2).get(1).asDouble(),
        result.get("prompt_logprobs").get(1).asDouble(), top.get(2).get(1).get(1).asDouble(), 0,
        result.get("prompt_logprobs").get(2).asDouble()};
    for (int i = 0; i < expected.length; i++) {
      assertThat(targets.get("data").get(i).asDouble()).as("cell %d", i).isCloseTo(expected[i], within(1e-5));
    }
    assertThat(targets.get("shape").toString()).isEqualTo("[2,3]");

    JsonNode sparse = wire.result(sample(sampler, 2, 1, ",\"target_prompt_logprobs\":{\"data\":[7,0],\"dtype\":\"int64\","
        + "\"shape\":[2,5],\"sparse_crow_indices\":[0,0,2],\"sparse_col_indices\":[1,4]}")).get("target_prompt_logprobs");
    assertThat(sparse.get("data").get(0).asDouble()).isCloseTo(expected[5], within(1e-5));
    assertThat(sparse.get("data").get(1).asDouble()).isNegative();
    assertThat(sparse.get("sparse_col_indices").toString()).isEqualTo("[1,4]");
    JsonNode last = wire.result(wire.post(Paths.SAMPLE, "{\"prompt\":{\"chunks\":[{\"tokens\":[5,6,7],\"type\":"
        + "\"encoded_text\"}]},\"sampling_params\":{\"max_tokens\":1},\"sampling_session_id\":\"" + sampler
        + "\",\"prompt_logprobs\":true,\"prompt_logprobs_last_n\":1,\"seq_id\":3}")).get("prompt_logprobs");
    assertThat(last.get(1).isNull()).isTrue();
    assertThat(last.get(2).asDouble()).isCloseTo(expected[5], within(1e-5));
  }

  @Test
  void theLikeliestTokensTravelAsProtobuf() {
    Sampling.Result result = new Sampling.Result(List.of(new Sampling.Sequence("stop", new int[] {9}, new float[] {-1},
        List.of(List.of(new Sampling.Likely(9, -1), new Sampling.Likely(4, -2))))), null,
        java.util.Arrays.asList(null, List.of(new Sampling.Likely(3, -0.5f))),
        new dev.fettle.internal.wire.TensorData(new long[] {1, 1}, new float[] {-2}, null), 7);

    // By the schema: sequences = 1 {tokens = 2, logprobs = 3, topk_sampled_logprobs = 4 {ids, logprobs, k, length}},
    // topk_prompt_logprobs = 3 with a first row of (0, -99999), prompt_cache_hit_tokens = 4,
    // target_prompt_logprobs = 5 {dense = 1, dtype = 3, shape = 4}.
    assertThat(HexFormat.of().formatHex(dev.fettle.internal.wire.SampleProto.write(result))).isEqualTo(
        "0a26" + "120409000000" + "1a04000080bf" + "2218" + "0a080900000004000000" + "1208000080bf000000c0" + "1802" + "2001"
        + "1a18" + "0a080000000003000000" + "1208804fc3c7000000bf" + "1801" + "2002"
        + "2007" + "2a0c" + "0a04000000c0" + "1801" + "22020101");
    Sampling.Result read = dev.fettle.internal.wire.SampleProto.read(dev.fettle.internal.wire.SampleProto.write(result));
    assertThat(read.sequences().get(0).topkSampledLogprobs()).isEqualTo(result.sequences().get(0).topkSampledLogprobs());
    assertThat(read.topkPromptLogprobs()).isEqualTo(result.topkPromptLogprobs());
    assertThat(read.targetPromptLogprobs().asFloats()).containsExactly(-2);
    assertThat(read.promptCacheHitTokens()).isEqualTo(7);
  }

  @ParameterizedTest
  @ValueSource(strings = {"18446744073709551615", "9223372036854775808", "-1", "0"})
  void seedsHave64BitsWithASignOrWithout(String seed) {
    String sampler = sampler(wire.session());
    String request = "{\"num_samples\":1,\"prompt\":{\"chunks\":[{\"tokens\":[5,6,7],\"type\":\"encoded_text\"}]},"
        + "\"sampling_params\":{\"max_tokens\":8,\"seed\":" + seed + "},\"sampling_session_id\":\"" + sampler + "\",\"seq_id\":";

    JsonNode first = wire.result(wire.post(Paths.SAMPLE, request + "0}"));
    JsonNode again = wire.result(wire.post(Paths.SAMPLE, request + "1}"));

    assertThat(first.get("sequences").get(0).get("tokens").size()).isPositive();
    assertThat(again.get("sequences").get(0).get("tokens")).isEqualTo(first.get("sequences").get(0).get("tokens"));
    assertThat(wire.post(Paths.SAMPLE, request.replace(seed, "1.5") + "2}").status()).isEqualTo(422);
    assertThat(wire.post(Paths.SAMPLE, request.replace(seed, "18446744073709551616") + "2}").status()).isEqualTo(422);
  }

  @Test
  void adamIsTheOptimizerAndOthersAreRefusedByName() {
    String session = wire.session();
    String create = "{\"session_id\":\"" + session + "\",\"model_seq_id\":0,\"base_model\":\"fettle-tiny\",\"lora_config\":"
        + "{\"rank\":4,\"seed\":18446744073709551615},\"optimizer_config\":{\"type\":\"TYPE\"},\"type\":\"create_model\"}";

    Wire.Answer refused = wire.post(Paths.CREATE_MODEL, create.replace("TYPE", "dimuon"));
    assertThat(refused.status()).isEqualTo(422);
    assertThat(refused.detail()).contains("dimuon", "adamw");
    String model = wire.result(wire.post(Paths.CREATE_MODEL, create.replace("TYPE", "adamw"))).get("model_id").asString();
    Wire.Answer step = wire.post(Paths.OPTIM_STEP, "{\"optimizer_params\":{\"type\":\"dimuon\",\"learning_rate\":0.1},"
        + "\"model_id\":\"" + model + "\",\"seq_id\":1,\"type\":\"optim_step\"}");
    assertThat(step.status()).isEqualTo(422);
    assertThat(step.detail()).contains("dimuon");
    String path = wire.result(wire.post(Paths.SAVE_WEIGHTS, "{\"model_id\":\"" + model
        + "\",\"path\":\"a\",\"seq_id\":2}")).get("path").asString();
    assertThat(wire.post(Paths.WEIGHTS_INFO, Map.of("tinker_path", path)).json().get("optimizer_config").get("type")
        .asString()).isEqualTo("adamw");
  }

  @Test
  void settingsOfALossInTheNewerMapCountAndTextIsRefused() {
    String model = wire.model(wire.session(), 0);
    byte[] pass = PassProto.write(Wire.pass(model, 1, TOKENS));
    // loss_fn_config_v2 = 7 {key = 1 "beta", value = 2 {number = 1 0.5}}, and the same with text = 2 "x".
    byte[] number = HexFormat.of().parseHex("3a11" + "0a0462657461" + "1209" + "09000000000000e03f");
    byte[] text = HexFormat.of().parseHex("3a0b" + "0a0462657461" + "1203" + "120178");

    Wire.Answer known = wire.send("POST", Paths.FORWARD_BACKWARD, joined(pass, number), "Content-Type", Paths.PROTOBUF);
    Wire.Answer refused = wire.send("POST", Paths.FORWARD_BACKWARD, joined(pass, text), "Content-Type", Paths.PROTOBUF);

    assertThat(known.detail()).contains("[beta]", "cross_entropy does not take");
    assertThat(refused.status()).isEqualTo(422);
    assertThat(refused.detail()).contains("beta", "\"x\"");
  }

  private static byte[] joined(byte[] a, byte[] b) {
    byte[] out = java.util.Arrays.copyOf(a, a.length + b.length);
    System.arraycopy(b, 0, out, a.length, b.length);
    return out;
  }

  @Test
  void whatUsersNoteOfRunsAndCheckpointsIsThere() {
    String session = wire.post(Paths.CREATE_SESSION, "{\"tags\":[],\"user_metadata\":{\"team\":\"a\"},\"sdk_version\":\"1\"}")
        .text("session_id");
    String model = wire.result(wire.post(Paths.CREATE_MODEL, "{\"session_id\":\"" + session + "\",\"model_seq_id\":0,"
        + "\"base_model\":\"fettle-tiny\",\"lora_config\":{\"rank\":4},\"user_metadata\":{\"run\":\"b\"}}")).get("model_id")
        .asString();
    wire.result(wire.post(Paths.SAVE_WEIGHTS, "{\"model_id\":\"" + model
        + "\",\"path\":\"x\",\"seq_id\":1,\"user_metadata\":{\"step\":\"1\"}}"));
    wire.result(wire.post(Paths.SAVE_FOR_SAMPLER, "{\"model_id\":\"" + model
        + "\",\"path\":\"y\",\"seq_id\":2,\"user_metadata\":{\"step\":\"2\"}}"));
    String runs = "api/v1/training_runs/" + model;

    assertThat(wire.get("api/v1/sessions/" + session).json().get("user_metadata").get("team").asString()).isEqualTo("a");
    assertThat(wire.get(runs).json().get("user_metadata").get("run").asString()).isEqualTo("b");
    JsonNode list = wire.get(runs + "/checkpoints").json().get("checkpoints");
    assertThat(list.get(0).get("user_metadata").get("step").asString()).isEqualTo("2");
    assertThat(list.get(1).get("user_metadata").get("step").asString()).isEqualTo("1");
    assertThat(list.get(1).get("base_model").asString()).isEqualTo("fettle-tiny");
    wire.result(wire.post(Paths.SAVE_WEIGHTS, "{\"model_id\":\"" + model + "\",\"path\":\"x\",\"seq_id\":3,\"overwrite\":true}"));
    assertThat(wire.get(runs + "/checkpoints").json().get("checkpoints").get(1).get("user_metadata")).isNull();
  }

  @Test
  void aFinishedSessionIsOver() {
    String session = wire.session();
    String model = wire.model(session, 0);
    String finish = "{\"reason\":{\"type\":\"success\"},\"detail\":null}";

    assertThat(wire.post("api/v1/sessions/" + session + "/finish", finish).status()).isEqualTo(200);
    assertThat(wire.post("api/v1/sessions/" + session + "/finish", finish).status()).isEqualTo(200);
    assertThat(wire.post("api/v1/sessions/none/finish", finish).status()).isEqualTo(404);
    assertThat(wire.post(Paths.HEARTBEAT, Map.of("session_id", session)).status()).isEqualTo(410);
    assertThat(wire.forwardBackward(model, 1, TOKENS).status()).isEqualTo(404);
    assertThat(small.engine.trainings()).hasValue(0);
  }

  @Test
  void samplesCanBeFollowedAndCancelled() {
    String session = wire.session();
    String sampler = sampler(session);
    String follow = "{\"target\":{\"type\":\"sampling_session\",\"sampling_session_id\":\"" + sampler
        + "\",\"cloned_sampler_id\":0},\"prev_cursor\":CURSOR}";

    Wire.Answer done = sample(sampler, 0, 1, "");
    wire.result(done);
    JsonNode first = wire.post("api/v1/retrieve_futures", follow.replace("CURSOR", "0")).json();
    assertThat(first.get("completions").get(0).get("request_id").asString()).isEqualTo(done.text("request_id"));
    assertThat(first.get("completions").get(0).get("state").asString()).isEqualTo("finished");
    assertThat(wire.post("api/v1/retrieve_futures", follow.replace("CURSOR", "0")).json()).isEqualTo(first);
    JsonNode nothing = wire.post("api/v1/retrieve_futures", follow.replace("CURSOR", "1")).json();
    assertThat(nothing.get("completions").size()).isZero();
    assertThat(nothing.get("cursor").asInt()).isEqualTo(1);

    Wire.Answer other = sample(sampler, 3_000_000_000L, 1, "");
    wire.result(other);
    assertThat(wire.post("api/v1/retrieve_futures", follow.replace("CURSOR", "1")).json().get("completions").size()).isZero();
    assertThat(wire.post("api/v1/retrieve_futures", follow.replace("CURSOR", "0").replace("_id\":0", "_id\":3")).json()
        .get("completions").get(0).get("request_id").asString()).isEqualTo(other.text("request_id"));

    assertThat(wire.post("api/v1/cancel_future", Map.of("request_id", done.text("request_id"))).status()).isEqualTo(200);
    assertThat(wire.result(done).get("sequences")).isNotNull();
    assertThat(wire.post("api/v1/cancel_future", Map.of("request_id", "none")).status()).isEqualTo(404);
    assertThat(wire.post(Paths.DYNAMIC_CONFIG, "{}").json().get("sample_cancel_enabled").asBoolean()).isTrue();
    assertThat(wire.post("api/v1/join_sampling_session", Map.of("sampling_session_id", sampler)).json()
        .get("client_counter").asInt()).isEqualTo(1);
  }

  @Test
  void aSampleThatWaitsIsGivenUp() {
    String session = wire.session();
    String sampler = sampler(session);
    String model = wire.model(session, 0);
    for (int i = 1; i <= 20; i++) {
      wire.forwardBackward(model, i, TOKENS);
    }
    Wire.Answer waiting = null;
    for (int i = 0; i < 20; i++) {
      waiting = sample(sampler, i, 64, ",\"x\":" + i);
    }
    wire.post("api/v1/cancel_future", Map.of("request_id", waiting.text("request_id")));

    JsonNode result = wire.result(waiting);
    assertThat(result.get("error").asString()).contains("cancelled");
    assertThat(result.get("category").asString()).isEqualTo("user");
  }

  @Test
  void externalWeightsAreRefusedByName() {
    for (String call : List.of("save_weights_external", "external_weights_upload_start", "external_weights_upload_finish")) {
      Wire.Answer refused = wire.post("api/v1/" + call, "{}");
      assertThat(refused.status()).isEqualTo(422);
      assertThat(refused.detail()).contains("external weights", "save_weights_for_sampler");
    }
  }

  @Test
  void aCheckpointIsCopiedIntoAnotherRun() {
    String session = wire.session();
    String model = wire.model(session, 0);
    wire.result(wire.forwardBackward(model, 1, TOKENS));
    wire.result(wire.optimStep(model, 2));
    String path = wire.result(wire.post(Paths.SAVE_WEIGHTS, "{\"model_id\":\"" + model
        + "\",\"path\":\"a\",\"seq_id\":3}")).get("path").asString();
    String ask = "{\"session_id\":\"" + session + "\",\"model_seq_id\":1,\"source_path\":\"" + path + "\"}";

    Wire.Answer copied = wire.post("api/v1/copy_weights", ask);
    assertThat(copied.text("tinker_path")).isEqualTo("tinker://" + session + ":train:1/weights/a");
    assertThat(wire.post("api/v1/copy_weights", ask).text("tinker_path")).isEqualTo(copied.text("tinker_path"));
    assertThat(wire.create(session, 1, 4, null).status()).isEqualTo(409);
    assertThat(wire.send("DELETE", "api/v1/training_runs/" + model + "/checkpoints/weights/a", null).status()).isEqualTo(204);

    double next = wire.result(wire.forwardBackward(model, 4, TOKENS)).get("metrics").get("loss:sum").asDouble();
    wire.result(wire.post(Paths.LOAD_WEIGHTS, "{\"session_id\":\"" + session + "\",\"model_seq_id\":2,\"path\":\""
        + copied.text("tinker_path") + "\",\"optimizer\":true,\"type\":\"load_weights\"}"));
    String loaded = session + ":train:2";
    assertThat(wire.result(wire.forwardBackward(loaded, 1, TOKENS)).get("metrics").get("loss:sum").asDouble())
        .isCloseTo(next, within(1e-6));
    assertThat(wire.result(wire.optimStep(loaded, 2)).get("metrics").get("step").asInt()).isEqualTo(2);
    assertThat(wire.post(Paths.GET_INFO, Map.of("model_id", loaded)).json().get("lora_rank").asInt()).isEqualTo(8);
  }

  @Test
  void namesAreTextAndNumbersAreNumbers() {
    String model = wire.model(wire.session(), 0);

    assertThat(wire.post(Paths.SAVE_WEIGHTS, "{\"model_id\":\"" + model + "\",\"path\":5,\"seq_id\":1}")).matches(
        a -> a.status() == 422).extracting(Wire.Answer::detail).asString().contains("5");
    assertThat(wire.post(Paths.SAVE_FOR_SAMPLER, "{\"model_id\":\"" + model + "\",\"path\":true,\"seq_id\":1}").status())
        .isEqualTo(422);
    assertThat(wire.post(Paths.CREATE_MODEL, "{\"session_id\":\"" + wire.session()
        + "\",\"base_model\":\"fettle-tiny\",\"lora_config\":{\"rank\":4.5}}").status()).isEqualTo(422);
    assertThat(new String(wire.get("api/v1/training_runs/" + model + "/checkpoints").body(), StandardCharsets.UTF_8))
        .contains("\"checkpoints\":[]");
  }
}
