package dev.fettle.internal.wire;

import java.util.List;
import java.util.Map;

/** Passes over data, forward or forward and backward. */
public final class Passes {
  private Passes() {}

  /** One sequence. */
  public record Datum(ModelInput modelInput, Map<String, TensorData> lossFnInputs) {}

  /**
   * A request for a pass, whichever way it travels: {@link PassProto}, or {@link #json}.
   *
   * @param lossFnConfig null where there is none
   */
  public record Pass(String modelId, Integer seqId, List<Datum> data, String lossFn, Map<String, Double> lossFnConfig,
      boolean forwardOnly) {
    /** As JSON, for {@link Paths#FORWARD} or {@link Paths#FORWARD_BACKWARD}. */
    public byte[] json() {
      Input input = new Input(data, lossFn, lossFnConfig);
      return WireJson.write(forwardOnly ? new Forward(input, modelId, seqId)
          : new ForwardBackward(input, modelId, seqId));
    }

    /** From the JSON of {@link Paths#FORWARD_BACKWARD}. */
    public static Pass forwardBackward(byte[] json) {
      ForwardBackward body = WireJson.request(json, ForwardBackward.class);
      return of(body.forwardBackwardInput, body.modelId, body.seqId, false);
    }

    /** From the JSON of {@link Paths#FORWARD}. */
    public static Pass forward(byte[] json) {
      Forward body = WireJson.request(json, Forward.class);
      return of(body.forwardInput, body.modelId, body.seqId, true);
    }

    private static Pass of(Input input, String modelId, Integer seqId, boolean forwardOnly) {
      if (input == null || input.data == null || input.lossFn == null) {
        throw new WireException("the pass has no data or no loss_fn");
      }
      return new Pass(modelId, seqId, input.data, input.lossFn, input.lossFnConfig, forwardOnly);
    }
  }

  /** The JSON of {@link Paths#FORWARD_BACKWARD}. */
  public record ForwardBackward(Input forwardBackwardInput, String modelId, Integer seqId) {}

  /** The JSON of {@link Paths#FORWARD}. */
  public record Forward(Input forwardInput, String modelId, Integer seqId) {}

  /** Their common part. */
  public record Input(List<Datum> data, String lossFn, Map<String, Double> lossFnConfig) {}

  /** What a pass gave: for each datum tensors by name, {@code logprobs} among them. */
  public record Output(String lossFnOutputType, List<Map<String, TensorData>> lossFnOutputs,
      Map<String, Double> metrics) {}
}
