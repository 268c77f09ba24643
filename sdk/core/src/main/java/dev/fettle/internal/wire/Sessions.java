package dev.fettle.internal.wire;

import dev.fettle.internal.json.Property;
import java.util.List;
import java.util.Map;

/** What a client and a server tell each other before any work. */
public final class Sessions {
  private Sessions() {}

  /** {@code POST client/config} and {@code client/dynamic_config}. */
  public record ConfigRequest(String sdkVersion) {}

  /** What a server asks of its clients; anything absent has the protocol's default. */
  public record Config(Boolean pjwtAuthEnabled, Long sampleDispatchBytesSemaphoreSize, Boolean parallelFwdbwdChunks,
      Integer fwdbwdMaxChunkLen, Long fwdbwdMaxChunkBytesCount, Long fwdbwdDispatchBytesSemaphoreSize,
      Long billingExceptionMaxPauseDurationSec, Integer sampleMaxConcurrentRequests,
      Long inflightResponseBytesSemaphoreSize, Boolean sampleUseRetrieveFutures, Boolean createModelViaLoadWeights) {
    /** Nothing but defaults. */
    public static Config defaults() {
      return new Config(null, null, null, null, null, null, null, null, null, null, null);
    }
  }

  /** The answer of {@code client/dynamic_config}. */
  public record DynamicConfig(Integer refreshIntervalSec, Boolean sampleCancelEnabled, Integer sampleCancelMaxBatchSize) {}

  /** {@code GET sessions/ID}. */
  public record Description(List<String> trainingRunIds, List<String> samplerIds, Map<String, Object> userMetadata) {}

  /** {@code POST sessions/ID/finish}; the reason's type is {@code success}, {@code errored} or {@code interrupted}. */
  public record Finish(Reason reason, @Property(always = true) String detail) {
    public static Finish success() {
      return new Finish(new Reason("success"), null);
    }
  }

  /** Why a session ended. */
  public record Reason(String type) {}

  /** {@code POST auth/token}. */
  public record Token(String jwt) {}

  /** {@code POST create_session}. */
  public record CreateSession(List<String> tags, Map<String, Object> userMetadata, String sdkVersion, String projectId,
      String type) {
    public static CreateSession of(List<String> tags, Map<String, String> userMetadata, String sdkVersion, String projectId) {
      return new CreateSession(tags, Map.copyOf(userMetadata), sdkVersion, projectId, "create_session");
    }
  }

  /** Its answer. */
  public record Session(String type, String sessionId, String infoMessage, String warningMessage, String errorMessage) {
    public static Session of(String sessionId) {
      return new Session("create_session", sessionId, null, null, null);
    }
  }

  /** {@code POST session_heartbeat}; its answer is a {@link Typed}. */
  public record Heartbeat(String sessionId, String type) {
    public static Heartbeat of(String sessionId) {
      return new Heartbeat(sessionId, "session_heartbeat");
    }
  }

  /** An answer that says nothing more than what it is. */
  public record Typed(String type) {}

  /** {@code GET healthz}, and the answer of {@code telemetry}. */
  public record Health(String status) {}

  /** {@code GET get_server_capabilities}. */
  public record Capabilities(List<SupportedModel> supportedModels) {}

  /** A base model that can be trained or sampled. */
  public record SupportedModel(String modelName, Integer maxContextLength) {}
}
