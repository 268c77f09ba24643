package dev.fettle;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fettle.internal.Status;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class WaitingProgressTest {
  @Test
  void whyAServiceLetsWaitStandsInTheLine() {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (Progress progress = new Progress("train", 5, false, new PrintStream(bytes, true, StandardCharsets.UTF_8), true, () -> 0)
        .watching()) {
      progress.step(1.5, 10);
      Status.waiting(this, "optim_step: queue paused_capacity: no GPU is free");
      assertThat(bytes.toString(StandardCharsets.UTF_8)).endsWith("waits: optim_step: queue paused_capacity: no GPU is free");
      Status.waiting(this, null);
      assertThat(bytes.toString(StandardCharsets.UTF_8).stripTrailing()).doesNotEndWith("free");
    }
    int length = bytes.size();
    Status.waiting(this, "after the end");
    Status.waiting(this, null);
    assertThat(bytes.size()).isEqualTo(length);
  }

  @Test
  void howFarADownloadIsStandsInTheLine() {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (Progress progress = new Progress("load org/model", 0, false, new PrintStream(bytes, true, StandardCharsets.UTF_8), true,
        () -> 0)) {
      Status.doing(this, "model.safetensors: 312 of 1,192 MB, 45.0 MB/s, 20 s left");
      progress.step(Double.NaN, 0);
    } finally {
      Status.doing(this, null);
    }
    assertThat(bytes.toString(StandardCharsets.UTF_8)).contains("load org/model").contains("312 of 1,192 MB");
  }
}
