package dev.fettle;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Equal calls give equal bits, in any process of one machine and whatever else the machine does. */
@Tag("processes")
class ReproducibilityTest {
  @TempDir
  private Path files;

  /** They run two at a time, so that each has a processor that is busy with another. */
  @Test
  void fourProcessesBesideOneAnotherTrainToTheSameBitsThoughOneStopsAndAnotherGoesOn() throws Exception {
    Process one = java(files.resolve("one").toString(), "0", "6");
    Process other = java(files.resolve("other").toString(), "0", "6");
    String whole = output(one);
    assertThat(output(other)).isEqualTo(whole);
    assertThat(whole.lines()).hasSameSizeAs(ReproducibleMain.Work.values());

    Process again = java(files.resolve("again").toString(), "0", "6");
    output(java(files.resolve("parts").toString(), "0", "3"));
    assertThat(output(java(files.resolve("parts").toString(), "3", "6"))).isEqualTo(whole);
    assertThat(output(again)).isEqualTo(whole);
  }

  @ParameterizedTest
  @EnumSource(DType.class)
  void aTrainingOnAServerThatWasKilledGoesOnWithTheSameBits(DType type) throws Exception {
    List<Tuning> tunings = List.of(Lora.rank(8).seed(3), Full.all());
    List<Path> states = tunings.stream().map(t -> files.resolve("state-" + tunings.indexOf(t))).toList();
    List<List<Object>> expected = new ArrayList<>();
    Process server = java("serve", type.name(), files.resolve("server").toString());
    try (Fettle fettle = Fettle.remote(uri(server))) {
      for (int i = 0; i < tunings.size(); i++) {
        Training training = fettle.load("fettle-tiny").tune(tunings.get(i));
        steps(training, 0, 2);
        training.saveState(states.get(i));
        expected.add(steps(training, 2, 5));
      }
    } finally {
      server.destroyForcibly().waitFor();
    }
    Process again = java("serve", type.name(), files.resolve("server").toString());
    try (Fettle fettle = Fettle.remote(uri(again))) {
      for (int i = 0; i < tunings.size(); i++) {
        assertThat(steps(fettle.resume(states.get(i)), 2, 5)).isEqualTo(expected.get(i));
      }
    } finally {
      again.destroyForcibly().waitFor();
    }
  }

  private static List<Object> steps(Training training, int from, int to) {
    List<Object> seen = new ArrayList<>();
    for (int i = from; i < to; i++) {
      LossResult result = training.step(ReproducibleMain.batch(i), Loss.crossEntropy(), AdamW.learningRate(1e-3)).loss();
      seen.add(result.loss());
      result.logprobs().forEach(logprobs -> seen.add(Arrays.toString(logprobs)));
    }
    return seen;
  }

  private static URI uri(Process server) throws IOException {
    BufferedReader said = server.inputReader(StandardCharsets.UTF_8);
    String line = said.readLine();
    while (line != null && !line.startsWith("http")) {
      line = said.readLine();
    }
    return URI.create(line);
  }

  /** With what this process was told of the engine. */
  private static Process java(String... args) throws IOException {
    List<String> command = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
        "-Xmx256m", "-cp", System.getProperty("java.class.path")));
    System.getProperties().stringPropertyNames().stream().filter(name -> name.startsWith("fettle."))
        .forEach(name -> command.add("-D" + name + "=" + System.getProperty(name)));
    command.add(ReproducibleMain.class.getName());
    command.addAll(List.of(args));
    return new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
  }

  private static String output(Process process) throws Exception {
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(said).isZero();
    return said;
  }
}
