package dev.fettle.internal.local;

import dev.fettle.internal.checkpoint.JsonFields;
import dev.fettle.internal.json.ObjectNode;
import dev.fettle.internal.torch.Execution;
import java.nio.file.Path;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How the passes of a training were carried out where its state was saved; what the last bits of its results depend on.
 *
 * @param lanes how many parts of a batch went through the network at once, at most
 */
record RecordedExecution(String processor, String kernels, int threads, int lanes) {
  private static final Logger LOG = LoggerFactory.getLogger(RecordedExecution.class);

  RecordedExecution(String processor, Execution execution, int lanes) {
    this(processor, execution.kernels().toString(), execution.threads(), lanes);
  }

  /** Empty for states that older versions saved. */
  static Optional<RecordedExecution> read(JsonFields state) {
    return state.object("execution").map(f -> new RecordedExecution(f.string("processor").orElse(""),
        f.string("kernels").orElse(""), f.integer("threads", 1, Integer.MAX_VALUE),
        f.integer("lanes", 1, Integer.MAX_VALUE)));
  }

  void write(ObjectNode state) {
    state.putObject("execution").put("processor", processor).put("kernels", kernels).put("threads", threads)
        .put("lanes", lanes);
  }

  /** The same, as far as it can be had here. */
  Execution here() {
    return Execution.recorded(kernels, threads);
  }

  void warnOfDifference(RecordedExecution now, Path state) {
    if (!equals(now)) {
      LOG.warn("{}: saved with {}, resumed with {}: losses will differ in their last digits from those of a run without "
          + "interruption", state, this, now);
    }
  }

  /** Such as {@code AuthenticAMD avx512_bf16, f32 onednn, bf16 onednn, threads 2, lanes 2}. */
  @Override
  public String toString() {
    return processor + ", " + kernels + ", threads " + threads + ", lanes " + lanes;
  }
}
