package dev.fettle.internal.wire;

import dev.fettle.internal.json.Property;
import java.util.List;
import java.util.Map;

/** What a server has stored. */
public final class Checkpoints {
  private Checkpoints() {}

  /** A checkpoint; {@code checkpointType} is {@code training} or {@code sampler}, times are ISO 8601. */
  public record Checkpoint(String checkpointId, String checkpointType, String time, String tinkerPath, Long sizeBytes,
      @Property(name = "public") Boolean shared, String expiresAt,
      String baseModel, Map<String, String> userMetadata) {}

  /** {@code GET checkpoints} and {@code training_runs/RUN/checkpoints}. */
  public record CheckpointList(List<Checkpoint> checkpoints, Cursor cursor) {}

  /** Where in a longer list an answer is. */
  public record Cursor(Integer offset, Integer limit, Integer totalCount) {}

  /** {@code PUT .../ttl}; here null is written, and means for ever. */
  public record Ttl(@Property(always = true) Long ttlSeconds) {}

  /** {@code GET .../archive} where it does not redirect. */
  public record Archive(String url, String expires) {}

  /** A training as a server remembers it. */
  public record TrainingRun(String trainingRunId, String baseModel, String modelOwner, Boolean isLora, Boolean corrupted,
      Integer loraRank, String lastRequestTime, Checkpoint lastCheckpoint, Checkpoint lastSamplerCheckpoint,
      Map<String, Object> userMetadata) {}

  /** {@code GET training_runs}. */
  public record TrainingRuns(List<TrainingRun> trainingRuns, Cursor cursor) {}
}
