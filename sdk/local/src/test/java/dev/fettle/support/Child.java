package dev.fettle.support;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;

/** A JVM of its own, which can be sent signals; what it writes is in two files. */
public final class Child implements AutoCloseable {
  private static final long PATIENCE_SECONDS = 120;

  private final Process process;
  private final Path out;
  private final Path err;

  private Child(Process process, Path out, Path err) {
    this.process = process;
    this.out = out;
    this.err = err;
  }

  /** Starts a main class of the tests, with kernels whose results do not vary between processes. */
  public static Child of(Path directory, Class<?> main, String... args) throws IOException {
    Path out = Files.createTempFile(directory, "child", ".out");
    Path err = Files.createTempFile(directory, "child", ".err");
    // What a shell starts in the background, and all that comes of it, ignores SIGINT.
    List<String> command = new ArrayList<>(List.of("env", "--default-signal=INT"));
    command.addAll(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-Xmx512m",
        "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Dfettle.kernels=plain", "-Dfettle.progress=off", "-cp",
        System.getProperty("java.class.path"), main.getName()));
    command.addAll(List.of(args));
    return new Child(new ProcessBuilder(command).redirectOutput(out.toFile()).redirectError(err.toFile()).start(), out, err);
  }

  /** Waits until it has written something to its output. */
  public Child untilItSays(String text) throws Exception {
    return until(out, text, 1);
  }

  /** Waits until it has written something to its error stream. */
  public Child untilItComplains(String text) throws Exception {
    return until(err, text, 1);
  }

  /** Waits until a file holds a text so many times. */
  public Child until(Path file, String text, int times) throws Exception {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
    while (!Files.exists(file) || Files.readString(file).split(Pattern.quote(text), -1).length <= times) {
      assertThat(process.isAlive()).as("alive until %s holds %s; it said %s", file, text, Files.readString(err)).isTrue();
      assertThat(System.nanoTime()).as("waiting for %s in %s", text, file).isLessThan(end);
      Thread.sleep(2);
    }
    return this;
  }

  /** Sends a signal such as INT. */
  public Child signal(String name) throws Exception {
    if (name.equals("TERM")) {
      process.toHandle().destroy();
    } else {
      assertThat(new ProcessBuilder("kill", "-" + name, Long.toString(process.pid())).start().waitFor()).isZero();
    }
    return this;
  }

  /** Its exit code. */
  public int ended() throws Exception {
    assertThat(process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)).as("ended; it said %s", complaints()).isTrue();
    return process.exitValue();
  }

  public String said() throws IOException {
    return Files.readString(out);
  }

  public String complaints() throws IOException {
    return Files.readString(err);
  }

  public long pid() {
    return process.pid();
  }

  @Override
  public void close() {
    process.destroyForcibly();
  }
}
