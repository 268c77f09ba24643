package dev.fettle.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RecipeExamplesTest {
  @TempDir Path directory;

  private String output(Consumer<String[]> program) {
    String output = printed(() -> program.accept(new String[] {directory.toString()}));
    assertThat(directory.resolve("report.html")).isNotEmptyFile();
    assertThat(directory.resolve("metrics.jsonl")).isNotEmptyFile();
    assertThat(directory.resolve("run.json")).isNotEmptyFile();
    return output;
  }

  private static String printed(Runnable program) {
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

  private static double[] numbers(String output, String pattern) {
    Matcher matcher = Pattern.compile(pattern).matcher(output);
    assertThat(matcher.find()).as(output).isTrue();
    return new double[] {Double.parseDouble(matcher.group(1)), Double.parseDouble(matcher.group(2))};
  }

  @Test
  void sftAnswersAsItWasTaught() {
    assertThat(output(SftExample::main)).contains("cancel order: 4711");
  }

  @Test
  void theRewardRisesUnderDpo() {
    String output = output(DpoExample::main);

    double[] margin = numbers(output, "margin (-?[0-9.]+), then ([0-9.]+)");
    assertThat(margin[0]).isBetween(-0.01, 0.01);
    assertThat(margin[1]).isGreaterThan(1);
  }

  @Test
  void theRewardRisesUnderGrpo() {
    double[] right = numbers(output(GrpoExample::main), "(\\d+) % in the first ten steps, (\\d+) % in the last");

    assertThat(right[1]).isGreaterThan(right[0] + 10);
  }

  @Test
  void theStudentComesNearerToTheTeacher() {
    double[] divergence = numbers(output(DistillExample::main), "teacher: ([0-9.]+) nats a token at first, ([0-9.]+) at last");

    assertThat(divergence[1]).isLessThan(divergence[0]);
  }
}
