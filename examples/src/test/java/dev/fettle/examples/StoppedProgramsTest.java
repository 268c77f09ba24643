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

/** Programs in processes of their own, which get the signal of Ctrl-C. */
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

  /** Ctrl-C once a file holds a text so many times, and the exit code. */
  private int interrupted(Process process, Path file, String text, int times) throws Exception {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
    while (!Files.exists(file) || Files.readString(file).split(text, -1).length <= times) {
      assertThat(process.isAlive()).as("%s", Files.readString(directory.resolve("err"))).isTrue();
      assertThat(System.nanoTime()).as("waiting for %s", text).isLessThan(end);
      Thread.sleep(10);
    }
    new ProcessBuilder("kill", "-INT", Long.toString(process.pid())).start().waitFor();
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
    // Far more steps than are made until the first line of progress is due.
    List<String> args = List.of("--model", "fettle-tiny", "--dtype", "f32", "--rank", "2", "--batch", "1", "--data",
        data.toString(), "--epochs", "4000", "--out");

    int exit = interrupted(start(Tune.class, with(args, parts.toString())), directory.resolve("err"), "train ", 1);

    String said = Files.readString(directory.resolve("err"));
    assertThat(exit).as(said).isEqualTo(130);
    int made = last("out").get("steps").asInt();
    assertThat(said).contains("stopped after step " + made + "; what was learnt is in " + parts,
        "To resume: Tune --model fettle-tiny --dtype f32", "'" + data + "'", "--resume " + parts + "-state");
    assertThat(parts.resolve("adapter_model.safetensors")).isNotEmptyFile();

    // What is to be equal comes soon after.
    String steps = String.valueOf(made + 3);
    assertThat(ended(start(Tune.class, with(args, parts.toString(), "--steps", steps, "--resume", parts + "-state")))).as(Files.readString(directory.resolve("err"))).isZero();
    assertThat(last("out").get("steps").asInt()).isEqualTo(3);
    Path whole = directory.resolve("whole");
    assertThat(ended(start(Tune.class, with(args, whole.toString(), "--steps", steps)))).isZero();
    assertThat(parts.resolve("adapter_model.safetensors")).hasSameBinaryContentAs(whole.resolve("adapter_model.safetensors"));
    assertThat(directory.resolve("whole-state")).doesNotExist();
    String[] none = with(args, parts.toString(), "--steps", "1", "--resume", parts + "-state").toArray(String[]::new);
    assertThat(Outcome.of(Tune::run, none).err()).contains("give a higher --steps");
  }

  @Test
  void compareKeepsTheRunsThatHaveEnded() throws Exception {
    assertThat(Outcome.of(CompareData::run, "--out", directory.toString()).code()).isZero();
    Path out = directory.resolve("compared");
    Path results = out.resolve("results.jsonl");
    List<String> args = List.of("--model", "fettle-tiny", "--dtype", "f32", "--train",
        directory.resolve("tickets-train.jsonl").toString(), "--test", directory.resolve("tickets-validation.jsonl").toString(),
        "--methods", "base,lora", "--ranks", "2", "--steps", "2", "--batch", "2", "--out", out.toString());

    int exit = interrupted(start(Compare.class, args), results, "\n", 4);

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
