package dev.fettle.internal.wire;

import dev.fettle.internal.json.JsonNode;
import java.util.List;
import java.util.stream.IntStream;

/** Work that a server has taken on, and how its result is asked for. */
public final class RequestFutures {
  private RequestFutures() {}

  /**
   * The answer to a submission.
   *
   * @param sampleSequenceIds of a request for samples: a name for each of them, in the order in which they will come.
   *     Clients since 0.26.2 fail without it; servers before do not send it
   */
  public record Submitted(String requestId, String modelId, List<String> sampleSequenceIds) {
    public static Submitted of(String requestId, String modelId) {
      return new Submitted(requestId, modelId, null);
    }

    public static Submitted samples(String requestId, int samples) {
      return new Submitted(requestId, null, IntStream.range(0, samples).mapToObj(i -> requestId + ":" + i).toList());
    }
  }

  /** {@code POST retrieve_future}. */
  public record Retrieve(String requestId, Boolean allowMetadataOnly) {}

  /** {@code POST cancel_future}. */
  public record Cancel(String requestId) {}

  /** {@code POST retrieve_futures}: what was done of a sampling session since a place in its history. */
  public record Follow(Target target, Long prevCursor, Double timeout) {}

  /** Which history: that of a sampling session, or of a copy of its client. */
  public record Target(String type, String samplingSessionId, Long clonedSamplerId) {}

  /** Its answer. */
  public record History(List<Completion> completions, Long cursor) {}

  /** A request that is done: {@code state} is {@code finished} or {@code failed}. */
  public record Completion(String state, String requestId, Long responsePayloadUncompressedSize) {}

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
