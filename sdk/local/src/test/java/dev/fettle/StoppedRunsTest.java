package dev.fettle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.fettle.internal.json.JsonNode;
import dev.fettle.internal.json.JsonReader;
import dev.fettle.internal.json.ObjectNode;
import dev.fettle.support.Child;
import dev.fettle.support.Golden;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Ctrl-C and SIGTERM, sent to processes of their own. */
class StoppedRunsTest {
  private static final List<String> RECIPES = List.of("sft", "dpo", "grpo", "distill");
  private static final Set<String> TIMES = Set.of("seconds", "tokens_per_second");

  @TempDir Path directory;

  @BeforeAll
  static void needsSignals() throws Exception {
    assumeTrue(Files.isExecutable(Path.of("/usr/bin/env"))
        && new ProcessBuilder("env", "--default-signal=INT", "true").start().waitFor() == 0, "no env that resets signals here");
  }

  @Test
  void everyRecipeEndsAfterItsStepAndGoesOnToTheNumbersOfARunThatWasNeverStopped() throws Exception {
    Path parts = Files.createDirectory(directory.resolve("parts"));
    Path whole = Files.createDirectory(directory.resolve("whole"));
    stopped(parts, "sft", "INT");
    stopped(parts, "grpo", "INT");
    stopped(parts, "dpo", "TERM");
    stopped(parts, "distill", "TERM");

    try (Child resumed = recipes(parts, "none", RECIPES); Child never = recipes(whole, "none", RECIPES)) {
      assertThat(resumed.ended()).as(resumed.complaints()).isZero();
      assertThat(never.ended()).as(never.complaints()).isZero();
      assertThat(resumed.said()).isEqualTo(never.said()).contains("dpo: all 48 steps done", "distill: all 20 steps done");
    }
    for (String recipe : RECIPES) {
      assertThat(metrics(parts.resolve(recipe))).as(recipe).isEqualTo(metrics(whole.resolve(recipe)));
      assertThat(parts.resolve(recipe).resolve("report.html")).exists();
      assertThat(parts.resolve(recipe).resolve(".fettle-lock")).doesNotExist();
    }
  }

  private void stopped(Path parts, String recipe, String signal) throws Exception {
    Path own = parts.resolve(recipe);
    try (Child child = recipes(parts, "wait", List.of(recipe))) {
      if (signal.equals("INT")) {
        child.untilItSays("waiting");
      } else {
        child.until(own.resolve("metrics.jsonl"), "\n", 3);
      }
      int exit = child.signal(signal).ended();

      int steps = metrics(own).size();
      assertThat(exit).as(child.complaints()).isEqualTo(signal.equals("INT") ? 130 : 143);
      assertThat(child.complaints()).contains("told to end", recipe + ": stopped after step " + steps + " of ",
          "All is saved in " + own);
      assertThat(child.said()).as("the program has a moment to go on").contains(recipe + ": stopped after step " + steps);
      assertThat(Golden.json(own.resolve("run.json")).path("ending").asString()).isEqualTo("running");
      assertThat(own.resolve("checkpoint")).isDirectory();
    }
  }

  private Child recipes(Path parts, String middle, List<String> recipes) throws IOException {
    List<String> args = new ArrayList<>(List.of(parts.toString(), middle));
    args.addAll(recipes);
    return Child.of(directory, RecipeMain.class, args.toArray(String[]::new));
  }

  /** What was measured at each step, times aside. */
  private static List<JsonNode> metrics(Path run) throws IOException {
    List<JsonNode> steps = new ArrayList<>();
    for (String line : Files.readAllLines(run.resolve("metrics.jsonl"))) {
      ObjectNode step = (ObjectNode) JsonReader.STANDARD.read(line);
      TIMES.forEach(step::remove);
      steps.add(step);
    }
    return steps;
  }

  @ParameterizedTest
  @CsvSource({"INT, 130", "TERM, 143"})
  void aSecondSignalEndsAStepThatNeverEnds(String signal, int code) throws Exception {
    try (Child child = recipes(directory, "hang", List.of("grpo"))) {
      child.untilItSays("waiting").signal(signal).untilItComplains("told to end").signal(signal);

      assertThat(child.ended()).isEqualTo(code);
      assertThat(child.complaints()).doesNotContain("stopped after");
    }
  }

  @Test
  void aProgramThatExitsByItselfWithinAStepExits() throws Exception {
    try (Child child = recipes(directory, "exit", List.of("grpo"))) {
      assertThat(child.ended()).isEqualTo(3);
      assertThat(child.complaints()).doesNotContain("told to end");
    }
  }

  @Test
  void afterARunSignalsEndTheProcessAsEver() throws Exception {
    try (Child child = recipes(directory, "after", List.of("grpo"))) {
      child.untilItSays("waiting").signal("INT");

      assertThat(child.ended()).isEqualTo(130);
      assertThat(child.complaints()).doesNotContain("told to end");
    }
  }
}
