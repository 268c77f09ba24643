package dev.fettle.internal.serve;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fettle.AdamW;
import dev.fettle.Batch;
import dev.fettle.Datum;
import dev.fettle.Fettle;
import dev.fettle.Lora;
import dev.fettle.Loss;
import dev.fettle.LossResult;
import dev.fettle.Remote;
import dev.fettle.Training;
import java.io.BufferedReader;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A server that is killed, not ended: what was saved goes on as if nothing had happened, to the last bit. */
class KilledServerTest {
  @TempDir
  Path directory;

  private Process start(String type) throws IOException {
    return new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-cp",
        System.getProperty("java.class.path"), ServedMain.class.getName(), directory.resolve("server").toString(), type)
        .redirectError(ProcessBuilder.Redirect.INHERIT).start();
  }

  private static Fettle client(Process server) throws IOException {
    BufferedReader out = server.inputReader();
    String line = out.readLine();
    while (!line.startsWith("at ")) {
      line = out.readLine();
    }
    return Fettle.remote(Remote.at(URI.create(line.substring(3))).key(() -> "tml-any"));
  }

  private static List<Object> steps(Training training, int from, int to) {
    List<Object> out = new ArrayList<>();
    for (int i = from; i < to; i++) {
      List<Datum> data = new ArrayList<>();
      for (int j = 0; j < 6; j++) {
        int[] tokens = new int[9 + 7 * j];
        for (int k = 0; k < tokens.length; k++) {
          tokens[k] = 5 + (i * 31 + j * 17 + k * k) % 300;
        }
        data.add(Datum.of(tokens));
      }
      LossResult loss = training.step(Batch.of(data), Loss.crossEntropy(), AdamW.learningRate(0.003)).loss();
      out.add(loss.loss());
      loss.logprobs().forEach(p -> out.add(List.of(java.util.Arrays.toString(p))));
    }
    return out;
  }

  @ParameterizedTest
  @ValueSource(strings = {"F32", "BF16"})
  void aTrainingGoesOnFromItsSavedStateToTheLastBit(String type) throws Exception {
    Path state = directory.resolve("state");
    List<Object> before;
    Process first = start(type);
    try (Fettle fettle = client(first)) {
      Training training = fettle.load("fettle-tiny").tune(Lora.rank(8).seed(5));
      steps(training, 0, 4);
      training.saveState(state);
      before = steps(training, 4, 8);
      first.destroyForcibly().waitFor();
    }
    Process second = start(type);
    try (Fettle fettle = client(second)) {
      Training resumed = fettle.resume(state);
      assertThat(steps(resumed, 4, 8)).isEqualTo(before);
    } finally {
      second.destroyForcibly().waitFor();
    }
  }
}
