package com.example.parcels;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** In a process of its own, so that all that Java itself says is read. */
class ParcelsTest {
  @TempDir
  private Path directory;

  @Test
  void itTrainsServesARequestAndJavaWarnsOfNothing() throws Exception {
    Path out = directory.resolve("out");
    Path err = directory.resolve("err");
    int code = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-Xmx512m",
        "--enable-native-access=ALL-UNNAMED", "-Dfettle.progress=off", "-cp", System.getProperty("java.class.path"),
        Parcels.class.getName(), directory.toString())
        .redirectOutput(out.toFile()).redirectError(err.toFile()).start().waitFor();

    List<String> printed = Files.readAllLines(out);
    assertEquals(0, code, Files.readString(err));
    assertEquals(2, printed.size(), printed.toString());
    assertTrue(printed.get(0).contains("\"parcels\"") && printed.get(0).contains("\"chat.completion\""), printed.get(0));
    System.out.println("Java " + Runtime.version());
    assertEquals(List.of(), Files.readAllLines(err).stream().filter(line -> !line.startsWith("SLF4J")).toList());
  }
}
