package dev.fettle.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Programs in processes of their own, which are told to end by signals. */
class StoppedProgramsTest {
  private static final long PATIENCE_SECONDS = 120;

  @TempDir
  private Path directory;

  @BeforeEach
  void needsSignals() throws Exception {
    assumeTrue(Files.isExecutable(Path.of("/usr/bin/env"))
        && new ProcessBuilder("env", "--default-signal=INT", "true").start().waitFor() == 0, "no env that resets signals here");
  }

  private Process start(Class<?> program, List<String> args) throws IOException {
    List<String> command = new ArrayList<>(List.of("env", "--default-signal=INT",
        Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-Xmx512m", "-Dfettle.kernels=plain", "-cp",
        System.getProperty("java.class.path"), program.getName()));
    command.addAll(args);
    return new ProcessBuilder(command).redirectOutput(directory.resolve("out").toFile())
        .redirectError(directory.resolve("err").toFile()).start();
  }

  /** A signal once a file holds a text so many times, and the exit code. */
  private int stopped(Process process, String signal, Path file, String text, int times) throws Exception {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
    while (!Files.exists(file) || Files.readString(file).split(text, -1).length <= times) {
      assertThat(process.isAlive()).as("%s", Files.readString(directory.resolve("err"))).isTrue();
      assertThat(System.nanoTime()).as("waiting for %s", text).isLessThan(end);
      Thread.sleep(10);
    }
    new ProcessBuilder("kill", "-" + signal, Long.toString(process.pid())).start().waitFor();
    return ended(process);
  }

  private int ended(Process process) throws Exception {
    assertThat(process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)).as("%s", Files.readString(directory.resolve("err"))).isTrue();
    return process.exitValue();
  }

  private JsonNode last(String file) throws IOException {
    List<String> lines = Files.readAllLines(directory.resolve(file));
    return new JsonMapper().readTree(lines.get(lines.size() - 1));
  }

  @Test
  void tuneSavesWhatItHasAndGoesOnFromThereToTheBytesOfARunThatWasNeverStopped() throws Exception {
    Path data = Files.write(directory.resolve("my data.jsonl"),
        Collections.nCopies(8, "{\"prompt\":\"one two\",\"completion\":\" three four\"}"));
    Path parts = directory.resolve("parts");
    Path metrics = directory.resolve("parts-run/metrics.jsonl");
    List<String> args = List.of("--model", "fettle-tiny", "--dtype", "f32", "--rank", "2", "--dropout", "0.1", "--batch", "1",
        "--data", data.toString(), "--epochs", "60", "--save-every", "1000", "--out");

    assertThat(stopped(start(Tune.class, with(args, parts.toString())), "INT", metrics, "\n", 4)).isEqualTo(130);

    int made = last("out").get("steps").asInt();
    String said = Files.readString(directory.resolve("err"));
    assertThat(made).isBetween(4, 479);
    assertThat(said).contains("stopped after step " + made + " of 480", "What was learnt so far is in " + parts,
        "To resume: Tune --model fettle-tiny --dtype f32", "'" + data + "'", "--resume yes");
    assertThat(parts.resolve("adapter_model.safetensors")).isNotEmptyFile();
    assertThat(Outcome.of(Tune::run, with(args, parts.toString()).toArray(String[]::new)).err())
        .contains("was interrupted", "--resume yes", "--overwrite yes");

    List<String> resumed = with(args, parts.toString(), "--resume", "yes");
    assertThat(stopped(start(Tune.class, resumed), "TERM", metrics, "\n", made + 4)).isEqualTo(143);
    assertThat(last("out").get("steps").asInt()).isBetween(made + 4, 479);
    assertThat(ended(start(Tune.class, resumed))).as(Files.readString(directory.resolve("err"))).isZero();
    assertThat(last("out").get("steps").asInt()).isEqualTo(480);

    Path whole = directory.resolve("whole");
    assertThat(ended(start(Tune.class, with(args, whole.toString())))).isZero();
    assertThat(parts.resolve("adapter_model.safetensors")).hasSameBinaryContentAs(whole.resolve("adapter_model.safetensors"));
    assertThat(directory.resolve("parts-run/checkpoint")).doesNotExist();
  }

  @Test
  void compareKeepsTheRunsThatHaveEnded() throws Exception {
    assertThat(Outcome.of(CompareData::run, "--out", directory.toString()).code()).isZero();
    Path out = directory.resolve("compared");
    Path results = out.resolve("results.jsonl");
    List<String> args = List.of("--model", "fettle-tiny", "--dtype", "f32", "--train",
        directory.resolve("tickets-train.jsonl").toString(), "--test", directory.resolve("tickets-validation.jsonl").toString(),
        "--methods", "base,lora", "--ranks", "2", "--steps", "2", "--batch", "2", "--out", out.toString());

    int exit = stopped(start(Compare.class, args), "INT", results, "\n", 4);

    String said = Files.readString(directory.resolve("err"));
    assertThat(exit).as(said).isEqualTo(130);
    List<String> kept = Files.readAllLines(results);
    assertThat(said).contains("runs have ended and are kept in " + results + ": the same call goes on after them");
    assertThat(ended(start(Compare.class, args))).isZero();
    assertThat(Files.readAllLines(results)).startsWith(kept.toArray(String[]::new)).hasSizeGreaterThan(kept.size());
    assertThat(out.resolve(".fettle-lock")).doesNotExist();
  }

  private static List<String> with(List<String> args, String... more) {
    List<String> all = new ArrayList<>(args);
    all.addAll(List.of(more));
    return all;
  }
}
