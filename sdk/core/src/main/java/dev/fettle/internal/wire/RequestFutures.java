package dev.fettle.internal.wire;

import tools.jackson.databind.JsonNode;

/** Work that a server has taken on, and how its result is asked for. */
public final class RequestFutures {
  private RequestFutures() {}

  /** The answer to a submission. */
  public record Submitted(String requestId, String modelId) {
    public static Submitted of(String requestId) {
      return new Submitted(requestId, null);
    }
  }

  /** {@code POST retrieve_future}. */
  public record Retrieve(String requestId, Boolean allowMetadataOnly) {}

  /** Not done yet. */
  public record Pending(String type, String requestId, String queueState, String queueStateReason) {
    /** The type that marks it. */
    public static final String TYPE = "try_again";

    public static Pending of(String requestId, String queueState, String reason) {
      return new Pending(TYPE, requestId, queueState, reason);
    }
  }

  /** Done, and so large that it has to be asked for again. */
  public record Large(String status, Long responsePayloadSize) {
    /** The status that marks it. */
    public static final String STATUS = "complete_metadata";
  }

  /** Failed: {@code category} is {@code unknown}, {@code server} or {@code user}. */
  public record Failed(String error, String category) {}

  /** The body of an HTTP error; {@code detail} is a text or, where fields are wrong, a list. */
  public record Problem(JsonNode detail, String queueState, String queueStateReason) {}
}
