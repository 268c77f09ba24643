package dev.fettle.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class QuickstartTest {
  @TempDir Path directory;

  @Test
  void theEmbeddedModelLearnsATaskThatItCouldNotDo() {
    String output = output(() -> Quickstart.main(new String[] {directory.resolve("adapter").toString()}));

    assertThat(exact(output, "before")).isLessThanOrEqualTo(12);
    assertThat(exact(output, "after")).isGreaterThanOrEqualTo(54);
    assertThat(output).as("results alone, without progress").doesNotContain("train ").contains("adapter saved in ");
    assertThat(directory.resolve("adapter/adapter_model.safetensors")).isRegularFile();
  }

  private static int exact(String output, String when) {
    Matcher matcher = Pattern.compile(when + ": (\\d+) of 60 held-out").matcher(output);
    assertThat(matcher.find()).as(output).isTrue();
    return Integer.parseInt(matcher.group(1));
  }

  static String output(Runnable program) {
    PrintStream before = System.out;
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    System.setOut(new PrintStream(bytes, true, StandardCharsets.UTF_8));
    try {
      program.run();
    } finally {
      System.setOut(before);
    }
    return bytes.toString(StandardCharsets.UTF_8);
  }
}
