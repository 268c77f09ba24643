package dev.fettle.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import jdk.jshell.EvalException;
import jdk.jshell.JShell;
import jdk.jshell.JShellException;
import org.junit.jupiter.api.Test;

/** What JShell shows of an error: one message, and the call that failed rather than what the library did. */
class ReadableErrorsTest {
  private static EvalException error(JShell shell, String source) {
    JShellException error = shell.eval(source).get(0).exception();
    assertThat(error).as(source).isInstanceOf(EvalException.class);
    return (EvalException) error;
  }

  @Test
  void theTraceBeginsWithThePublicCallAndHasNoFrameWithinTheLibrary() throws Exception {
    try (JShell shell = JShell.builder().executionEngine("local").build()) {
      shell.sourceCodeAnalysis();
      Files.readString(Path.of("startup.jsh")).lines().filter(line -> line.startsWith("import")).forEach(shell::eval);
      shell.eval("Fettle fettle = Fettle.local();");
      shell.eval("BaseModel model = fettle.load(\"fettle-tiny\", DType.F32);");
      shell.eval("Training training = model.tune(Lora.rank(2));");
      for (String wrong : List.of("Lora.rank(0);", "fettle.load(\"no-such-model\");",
          "model.tune(Lora.rank(2).targetModules(Modules.named(\"nothing\")));", "training.loadState(Path.of(\"nowhere\"));",
          "training.step(Batch.of(Datum.of(5000, 5001)), Loss.crossEntropy(), AdamW.standard());",
          "model.sampler().logprobs(99999, 99999);", "Dataset.jsonl(Path.of(\"nowhere.jsonl\")).count();",
          "model.embed(\"a text\");")) {
        EvalException error = error(shell, wrong);

        assertThat(error.getExceptionClassName()).as(wrong).startsWith("dev.fettle.");
        assertThat(error.getMessage()).as(wrong).isNotBlank().doesNotContain("\n");
        assertThat(Arrays.stream(error.getStackTrace()).map(StackTraceElement::getClassName)).as(wrong + " " + error.getMessage())
            .noneMatch(name -> name.startsWith("dev.fettle.internal."))
            .filteredOn(name -> name.startsWith("dev.fettle.")).hasSize(1);
      }
      shell.eval("fettle.close();");
    }
  }
}
