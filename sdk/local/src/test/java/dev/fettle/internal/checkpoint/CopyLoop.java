package dev.fettle.internal.checkpoint;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/** Another process that saves two directories in turn under one name, over and over. */
public final class CopyLoop implements AutoCloseable {
  private final Process process;
  private final BufferedReader lines;
  private int saves;

  private CopyLoop(Process process) {
    this.process = process;
    this.lines = process.inputReader();
  }

  /** Begins, and waits for the first save. */
  public static CopyLoop start(Path target, boolean maySwap, Path first, Path second) throws IOException {
    CopyLoop loop = new CopyLoop(new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
        "-Xmx64m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", System.getProperty("java.class.path"),
        CopyLoop.class.getName(), target.toString(), Boolean.toString(maySwap), first.toString(), second.toString())
        .redirectError(ProcessBuilder.Redirect.INHERIT).start());
    loop.read();
    return loop;
  }

  private void read() throws IOException {
    if (lines.readLine() == null) {
      throw new IllegalStateException("the saving process has ended");
    }
    saves++;
  }

  /** How many saves have ended. */
  public int saves() throws IOException {
    while (lines.ready() || !process.isAlive()) {
      read();
    }
    return saves;
  }

  @Override
  public void close() {
    process.toHandle().destroyForcibly();
    process.onExit().join();
  }

  public static void main(String[] args) {
    Path target = Path.of(args[0]);
    for (int i = 0; ; i++) {
      Path from = Path.of(args[2 + i % 2]);
      AtomicFiles.writeDirectory(target, into -> copy(from, into), Boolean.parseBoolean(args[1]));
      System.out.println("saved");
    }
  }

  private static void copy(Path from, Path into) throws IOException {
    try (Stream<Path> files = Files.list(from)) {
      for (Path file : files.filter(file -> !file.endsWith(Inventory.NAME)).toList()) {
        Files.copy(file, into.resolve(file.getFileName().toString()));
      }
    }
  }
}
