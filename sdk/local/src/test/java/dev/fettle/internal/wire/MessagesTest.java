package dev.fettle.internal.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fettle.internal.wire.Passes.Datum;
import dev.fettle.internal.wire.Passes.Output;
import dev.fettle.internal.wire.Passes.Pass;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class MessagesTest {
  private static String json(Object message) {
    return new String(WireJson.write(message), StandardCharsets.UTF_8);
  }

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static final Pass PASS = new Pass("m", 7, List.of(new Datum(ModelInput.of(new int[] {1, 2}),
      Map.of("target_tokens", TensorData.of(new int[] {2, 3}), "weights", TensorData.of(new float[] {0, 1})))), "ppo",
      Map.of("clip_low_threshold", 0.8), true);

  @Test
  void requestsAreWrittenInSnakeCaseWithTheirDefaultsAndWithoutNulls() {
    assertThat(json(Models.CreateModel.of("s", 0, "Qwen/Qwen3-8B", Map.of(), new Models.LoraConfig(32, null, false, true, true))))
        .isEqualTo("{\"session_id\":\"s\",\"model_seq_id\":0,\"base_model\":\"Qwen/Qwen3-8B\",\"lora_config\":"
            + "{\"rank\":32,\"train_unembed\":false,\"train_mlp\":true,\"train_attn\":true},\"type\":\"create_model\"}");
    assertThat(json(Steps.OptimStep.of(new Steps.AdamParams(1e-4, 0.9, 0.95, 1e-12, 0.0, 0.0), "m", 2)))
        .isEqualTo("{\"adam_params\":{\"learning_rate\":1.0E-4,\"beta1\":0.9,\"beta2\":0.95,\"eps\":1.0E-12,"
            + "\"weight_decay\":0.0,\"grad_clip_norm\":0.0},\"model_id\":\"m\",\"seq_id\":2,\"type\":\"optim_step\"}");
  }

  @Test
  void aTimeToLiveOfNullIsWritten() {
    assertThat(json(new Checkpoints.Ttl(null))).isEqualTo("{\"ttl_seconds\":null}");
  }

  @Test
  void promptsAreChunksOfTokens() {
    assertThat(json(ModelInput.of(new int[] {1, 2}))).contains("\"type\":\"encoded_text\"").contains("\"tokens\":[1,2]");
    ModelInput read = WireJson.read(utf8("{\"chunks\":[{\"type\":\"encoded_text\",\"tokens\":[1,2]},"
        + "{\"tokens\":[3],\"type\":\"encoded_text\"}]}"), ModelInput.class);
    assertThat(read.tokens()).containsExactly(1, 2, 3);
  }

  @Test
  void otherChunksAreRefusedByName() {
    ModelInput image = WireJson.read(utf8("{\"chunks\":[{\"type\":\"image\",\"data\":\"AAAA\",\"format\":\"png\"}]}"),
        ModelInput.class);
    assertThatThrownBy(image::tokens).isInstanceOf(WireException.class).hasMessageContaining("not text but image");
  }

  @Test
  void whatIsNotKnownIsIgnored() {
    assertThat(WireJson.read(utf8("{\"future_id\":3,\"status\":\"pending\",\"request_id\":\"3\"}"),
        RequestFutures.Submitted.class).requestId()).isEqualTo("3");
    assertThat(WireJson.read(utf8("{\"brand_new\":{\"a\":[1]},\"pjwt_auth_enabled\":false}"), Sessions.Config.class)
        .pjwtAuthEnabled()).isFalse();
  }

  @Test
  void whatIsNoJsonOrOfAnotherTypeIsAnError() {
    assertThatThrownBy(() -> WireJson.read(utf8("<html>"), RequestFutures.Submitted.class)).isInstanceOf(WireException.class);
    assertThatThrownBy(() -> WireJson.read(utf8("{\"model_seq_id\":{}}"), Models.CreateModel.class))
        .isInstanceOf(WireException.class);
    assertThatThrownBy(() -> WireJson.tree(utf8("[1]"))).isInstanceOf(WireException.class);
  }

  @Test
  void tensorsThatAreNotFiniteOrAreSparseAreRead() {
    TensorData floats = WireJson.read(utf8("{\"data\":[1,null,-2.5],\"dtype\":\"float32\"}"), TensorData.class);
    assertThat(floats.floats()).containsExactly(1f, Float.NaN, -2.5f);
    TensorData sparse = WireJson.read(utf8("{\"data\":[7,8],\"dtype\":\"int64\",\"shape\":[2,3],"
        + "\"sparse_crow_indices\":[0,1,2],\"sparse_col_indices\":[2,0]}"), TensorData.class);
    assertThat(sparse.dense().ints()).containsExactly(0, 0, 7, 8, 0, 0);
    assertThat(json(TensorData.of(new float[] {Float.NaN, 0.5f})))
        .isEqualTo("{\"data\":[null,0.5],\"dtype\":\"float32\",\"shape\":[2]}");
  }

  @Test
  void aPassTravelsBothWays() {
    same(PassProto.read(PassProto.write(PASS)), true);
    same(Pass.forward(PASS.json()), true);
    same(Pass.forwardBackward(new Pass("m", 7, PASS.data(), "ppo", PASS.lossFnConfig(), false).json()), false);
  }

  private static void same(Pass read, boolean forwardOnly) {
    assertThat(read.modelId()).isEqualTo("m");
    assertThat(read.seqId()).isEqualTo(7);
    assertThat(read.lossFn()).isEqualTo("ppo");
    assertThat(read.lossFnConfig()).containsExactlyEntriesOf(Map.of("clip_low_threshold", 0.8));
    assertThat(read.forwardOnly()).isEqualTo(forwardOnly);
    assertThat(read.data()).hasSize(1);
    assertThat(read.data().get(0).modelInput().tokens()).containsExactly(1, 2);
    assertThat(read.data().get(0).lossFnInputs().get("target_tokens").asInts()).containsExactly(2, 3);
    assertThat(read.data().get(0).lossFnInputs().get("weights").floats()).containsExactly(0f, 1f);
  }

  @Test
  void protobufBytesAreThoseOfTheSchema() {
    byte[] bytes = PassProto.write(new Pass("m", 1, List.of(new Datum(ModelInput.of(new int[] {1, 2}), Map.of())), "ce",
        null, true));
    // model_id=1 "m" | seq_id=2 1 | data=3 {model_input=1 {encoded_text=1 {tokens=1 01000000 02000000}}} | loss_fn=4 | forward_only=6
    assertThat(HexFormat.of().formatHex(bytes))
        .isEqualTo("0a016d" + "1001" + "1a0e" + "0a0c" + "0a0a" + "0a080100000002000000" + "22026365" + "3001");
  }

  @Test
  void raggedResultsTravelBothWays() {
    Map<String, TensorData> a = new LinkedHashMap<>();
    a.put("logprobs", TensorData.of(new float[] {1, 2, 3}));
    Map<String, TensorData> b = Map.of("logprobs", TensorData.of(new float[] {4}));
    Map<String, TensorData> c = Map.of("logprobs", new TensorData(new long[] {1, 2}, new float[] {5, 6}, null));
    Output read = OutputProto.read(OutputProto.write(new Output("scalar", List.of(a, b, c), Map.of("loss:sum", 1.5))));
    assertThat(read.lossFnOutputType()).isEqualTo("scalar");
    assertThat(read.metrics()).isEqualTo(Map.of("loss:sum", 1.5));
    assertThat(read.lossFnOutputs()).hasSize(3);
    assertThat(read.lossFnOutputs().get(0).get("logprobs").floats()).containsExactly(1, 2, 3);
    assertThat(read.lossFnOutputs().get(1).get("logprobs").floats()).containsExactly(4);
    assertThat(read.lossFnOutputs().get(2).get("logprobs").shape()).containsExactly(1, 2);
  }

  @Test
  void narrowTypesAreWidenedAndStrippedRecordsKeepTheirCount() {
    // One record: num_datums 2, field "x" in bfloat16 {1.0 | -2.0, 0.5}; another: num_datums 3 and no fields.
    String tensor = "0a06" + "803f" + "00c0" + "003f" + "1218" + "0000000000000000" + "0200000000000000"
        + "0600000000000000" + "1804";
    String field = "0a0178" + "12" + hex(tensor.length() / 2) + tensor;
    String record = "12" + hex(field.length() / 2) + field + "1802";
    Output read = OutputProto.read(HexFormat.of().parseHex("12" + hex(record.length() / 2) + record + "12021803"));
    assertThat(read.lossFnOutputs()).hasSize(5);
    assertThat(read.lossFnOutputs().get(0).get("x").floats()).containsExactly(1f);
    assertThat(read.lossFnOutputs().get(1).get("x").floats()).containsExactly(-2f, 0.5f);
    assertThat(read.lossFnOutputs().get(4)).isEmpty();
  }

  private static String hex(int value) {
    return String.format("%02x", value);
  }

  @Test
  void samplesTravelBothWaysAndUnknownFieldsAndReasonsAreTolerated() {
    Sampling.Result result = new Sampling.Result(List.of(
        new Sampling.Sequence("stop", new int[] {5}, new float[] {-1}),
        new Sampling.Sequence("length", new int[] {6, 7}, null)), Arrays.asList(null, -0.5f));
    Sampling.Result read = SampleProto.read(SampleProto.write(result));
    assertThat(read.sequences().get(0).tokens()).containsExactly(5);
    assertThat(read.sequences().get(0).logprobs()).containsExactly(-1f);
    assertThat(read.sequences().get(1).stopReason()).isEqualTo("length");
    assertThat(read.sequences().get(1).logprobs()).isNull();
    assertThat(read.promptLogprobs()).containsExactly(null, -0.5f);
    // stop_reason=1 9 | field 200, a text
    assertThat(SampleProto.read(HexFormat.of().parseHex("0a021809" + "c20c0141" + "0a020809")).sequences())
        .extracting(Sampling.Sequence::stopReason).containsExactly("stop", "reason 9");
  }

  @Test
  void brokenProtobufIsAnError() {
    byte[] bytes = PassProto.write(PASS);
    assertThatThrownBy(() -> PassProto.read(Arrays.copyOf(bytes, bytes.length - 5))).isInstanceOf(WireException.class);
    assertThatThrownBy(() -> SampleProto.read(utf8("{\"sequences\":[]}"))).isInstanceOf(WireException.class);
  }
}
