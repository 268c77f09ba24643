package dev.fettle.internal.serve;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.fettle.internal.json.JsonNode;
import dev.fettle.internal.wire.ModelInput;
import dev.fettle.internal.wire.OutputProto;
import dev.fettle.internal.wire.PassProto;
import dev.fettle.internal.wire.Passes;
import dev.fettle.internal.wire.Paths;
import dev.fettle.internal.wire.TensorData;
import dev.fettle.internal.wire.WireJson;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a datum may carry for its loss. */
class LossInputsTest {
  private static final int[] INPUT = {5, 6, 7};

  @TempDir
  Path state;
  private Small small;
  private Wire wire;
  private String model;
  private int number;

  @BeforeEach
  void start() {
    small = new Small(Limits.standard(), state);
    wire = small.wire;
    model = wire.model(wire.session(), 0);
  }

  @AfterEach
  void stop() {
    small.close();
  }

  private Wire.Answer send(String loss, Map<String, TensorData> inputs) {
    return send(loss, inputs, INPUT);
  }

  private Wire.Answer send(String loss, Map<String, TensorData> inputs, int... tokens) {
    return wire.send("POST", Paths.FORWARD_BACKWARD, new Passes.Pass(model, ++number, List.of(new Passes.Datum(
        ModelInput.of(tokens), inputs)), loss, loss.equals("dro") ? Map.of("beta", 0.1) : null, false).json());
  }

  private JsonNode pass(String loss, Map<String, TensorData> inputs) {
    return wire.result(send(loss, inputs));
  }

  private double loss(String loss, Map<String, TensorData> inputs) {
    return loss(loss, inputs, INPUT);
  }

  private double loss(String loss, Map<String, TensorData> inputs, int... tokens) {
    return wire.result(send(loss, inputs, tokens)).get("metrics").get("loss:sum").asDouble();
  }

  private double norm() {
    return wire.result(wire.post(Paths.OPTIM_STEP, "{\"adam_params\":{\"learning_rate\":0.0},\"model_id\":\"" + model
        + "\",\"seq_id\":" + ++number + "}")).get("metrics").get("grad_norm").asDouble();
  }

  private static TensorData ints(int... values) {
    return TensorData.of(values);
  }

  private static TensorData floats(float... values) {
    return TensorData.of(values);
  }

  private static TensorData json(String text) {
    return WireJson.read(text.getBytes(StandardCharsets.UTF_8), TensorData.class);
  }

  @Test
  void weightsThatAreAbsentAreOne() {
    double all = loss("cross_entropy", Map.of("target_tokens", ints(6, 7, 8), "weights", floats(1, 1, 1)));

    assertThat(loss("cross_entropy", Map.of("target_tokens", ints(6, 7, 8)))).isCloseTo(all, within(1e-6));
    assertThat(loss("cross_entropy", Map.of("target_tokens", ints(6, 7, 8), "mask", floats(1, 1, 0))))
        .isCloseTo(loss("cross_entropy", Map.of("target_tokens", ints(6, 7, 8), "weights", floats(1, 1, 0))), within(1e-6));
  }

  @Test
  void weightsAndMasksOfReinforcementLossesMultiplyThem() {
    Map<String, TensorData> plain = Map.of("target_tokens", ints(6, 7, 8), "logprobs", floats(-9, -10, -9), "advantages",
        floats(0.5f, 1, -1));
    for (String loss : List.of("importance_sampling", "ppo", "cispo", "dro")) {
      double whole = loss(loss, plain);
      Map<String, TensorData> weighted = new HashMap<>(plain);
      weighted.put("weights", floats(1, 0, 1));
      double without = loss(loss, weighted);
      assertThat(without).as(loss).isNotCloseTo(whole, within(1e-3));
      weighted.remove("weights");
      weighted.put("mask", floats(1, 0, 1));
      assertThat(loss(loss, weighted)).as(loss).isCloseTo(without, within(1e-6));
      weighted.put("mask", floats(2, 2, 2));
      if (loss.equals("dro")) {
        assertThat(send(loss, weighted).detail()).contains("dro takes 0 and 1");
      } else {
        assertThat(loss(loss, weighted)).as(loss).isCloseTo(2 * whole, within(1e-4));
      }
      weighted.put("mask", floats(1, 1));
      assertThat(send(loss, weighted).detail()).as(loss).contains("mask has 2 values");
      weighted.remove("mask");
      weighted.put("clip_low_threshold", floats(1, 1, 1));
      assertThat(send(loss, weighted).detail()).as(loss).contains("clip_low_threshold");
    }
  }

  @Test
  void severalTargetsAtAPositionAreSummed() {
    TensorData targets = new TensorData(new long[] {3, 2}, null, new long[] {6, 20, 7, 21, 8, 22});
    TensorData weights = new TensorData(new long[] {3, 2}, new float[] {1, 0.5f, 0, 0.25f, 1, 0}, null);
    JsonNode both = pass("cross_entropy", Map.of("target_tokens", targets, "weights", weights));
    double bothNorm = norm();
    JsonNode first = pass("cross_entropy", Map.of("target_tokens", ints(6, 7, 8), "weights", floats(1, 0, 1)));
    JsonNode second = pass("cross_entropy", Map.of("target_tokens", ints(20, 21, 22), "weights", floats(0.5f, 0.25f, 0)));

    assertThat(norm()).isCloseTo(bothNorm, within(1e-4));
    assertThat(both.get("metrics").get("loss:sum").asDouble()).isCloseTo(first.get("metrics").get("loss:sum").asDouble()
        + second.get("metrics").get("loss:sum").asDouble(), within(1e-5));
    JsonNode logprobs = both.get("loss_fn_outputs").get(0).get("logprobs");
    assertThat(logprobs.get("shape").toString()).isEqualTo("[3,2]");
    for (int i = 0; i < 3; i++) {
      assertThat(logprobs.get("data").get(2 * i).asDouble()).isCloseTo(first.get("loss_fn_outputs").get(0).get("logprobs")
          .get("data").get(i).asDouble(), within(1e-5));
      assertThat(logprobs.get("data").get(2 * i + 1).asDouble()).isCloseTo(second.get("loss_fn_outputs").get(0)
          .get("logprobs").get("data").get(i).asDouble(), within(1e-5));
    }
    assertThat(send("cross_entropy", Map.of("target_tokens", targets, "weights", floats(1, 1, 1))).detail())
        .contains("weights has 3 values", "[3, 2]");
    assertThat(send("ppo", Map.of("target_tokens", targets, "logprobs", floats(1, 1, 1), "advantages", floats(1, 1, 1)))
        .detail()).contains("target_tokens has the shape [3, 2]");
    assertThat(send("cross_entropy", Map.of("target_tokens", ints(6, 7))).detail()).contains("target_tokens has 2 values");
  }

  @Test
  void nullCountsAsAbsentAndWhatIsNoListIsRefused() {
    String head = "{\"forward_backward_input\":{\"data\":[{\"model_input\":{\"chunks\":[{\"type\":\"encoded_text\",\"tokens\":[5,6]}]},"
        + "\"loss_fn_inputs\":{\"target_tokens\":";
    String tail = "}}],\"loss_fn\":\"cross_entropy\",\"loss_fn_config\":{\"a\":null}},\"model_id\":\"" + model + "\",\"seq_id\":";
    String targets = "{\"data\":[6,7],\"dtype\":\"int64\"}";
    assertThat(wire.post(Paths.FORWARD_BACKWARD, head + "null" + tail + "null}")).extracting(Wire.Answer::status, Wire.Answer::detail)
        .containsExactly(400, "data[0].loss_fn_inputs has []; cross_entropy needs [target_tokens] and takes beside that only "
            + "[weights, mask]");
    assertThat(wire.result(wire.post(Paths.FORWARD_BACKWARD, head + targets + ",\"weights\":null" + tail + ++number + "}"))
        .get("metrics").get("loss:sum").asDouble()).isCloseTo(loss("cross_entropy",
        Map.of("target_tokens", ints(6, 7), "weights", floats(1, 1)), 5, 6), within(1e-6));
    for (String field : List.of("shape", "sparse_crow_indices", "data")) {
      String odd = "{\"data\":[6,7],\"dtype\":\"int64\",\"" + field + "\":{\"a\":1}}";
      assertThat(wire.post(Paths.FORWARD_BACKWARD, head + odd + tail + "null}").status()).as(field).isEqualTo(422);
    }
  }

  @Test
  void sparseTargetsAreThoseThatTheyStandFor() {
    TensorData sparse = json("{\"data\":[6,20,8],\"dtype\":\"int64\",\"shape\":[3,2],\"sparse_crow_indices\":[0,2,2,3],"
        + "\"sparse_col_indices\":[0,1,0]}");
    TensorData weights = json("{\"data\":[1,0.5,1],\"dtype\":\"float32\",\"shape\":[3,2],"
        + "\"sparse_crow_indices\":[0,2,2,3],\"sparse_col_indices\":[0,1,0]}");
    Map<String, TensorData> inputs = Map.of("target_tokens", sparse, "weights", weights);
    Passes.Pass pass = new Passes.Pass(model, ++number, List.of(new Passes.Datum(ModelInput.of(INPUT), inputs)),
        "cross_entropy", null, false);

    Passes.Output output = OutputProto.read(wire.result(wire.send("POST", Paths.FORWARD_BACKWARD, PassProto.write(pass),
        "Content-Type", Paths.PROTOBUF), Paths.PROTOBUF).body());
    number++;
    double again = wire.result(wire.send("POST", Paths.FORWARD_BACKWARD, new Passes.Pass(model, number, pass.data(),
        "cross_entropy", null, false).json())).get("metrics").get("loss:sum").asDouble();
    double dense = loss("cross_entropy", Map.of("target_tokens", new TensorData(new long[] {3, 2}, null,
        new long[] {6, 20, 0, 0, 8, 0}), "weights", new TensorData(new long[] {3, 2}, new float[] {1, 0.5f, 0, 0, 1, 0},
        null)));

    assertThat(output.metrics().get("loss:sum")).isCloseTo(dense, within(1e-5));
    assertThat(again).isCloseTo(dense, within(1e-5));
    assertThat(output.lossFnOutputs().get(0).get("logprobs").shape()).containsExactly(3, 2);
  }
}
