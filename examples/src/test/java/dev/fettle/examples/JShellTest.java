package dev.fettle.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import jdk.jshell.JShell;
import jdk.jshell.Snippet;
import jdk.jshell.SnippetEvent;
import jdk.jshell.SourceCodeAnalysis;
import jdk.jshell.SourceCodeAnalysis.CompletionInfo;
import org.junit.jupiter.api.Test;

/** What a session in JShell gives, with the start-up file that {@code exec:exec@jshell} uses. */
class JShellTest {
  private static final List<String> EIGHT_LINES = List.of(
      "Fettle fettle = Fettle.local()",
      "BaseModel model = fettle.load(\"fettle-tiny\", DType.F32)",
      "Training training = model.tune(Lora.rank(8))",
      "Dataset data = Dataset.of(TicketTask.train(600, 1))",
      "Run run = Sft.on(training).data(data).batchSize(8).learningRate(3e-3).run()",
      "BufferedImage curve = run.lossCurve()",
      "Sampler sampler = training.sampler()",
      "String answer = sampler.chat(\"Please cancel order 4711.\")");

  private static String evaluate(JShell shell, String source) {
    String value = null;
    for (String rest = source; !rest.isBlank();) {
      CompletionInfo part = shell.sourceCodeAnalysis().analyzeCompletion(rest);
      for (SnippetEvent event : shell.eval(part.source())) {
        assertThat(event.exception()).as(part.source()).isNull();
        assertThat(event.status()).as(() -> part.source() + shell.diagnostics(event.snippet())
            .map(d -> d.getMessage(null)).collect(Collectors.toList())).isEqualTo(Snippet.Status.VALID);
        value = event.value();
      }
      rest = part.remaining();
    }
    return value;
  }

  private static JShell shell() throws Exception {
    JShell shell = JShell.builder().executionEngine("local").build();
    evaluate(shell, Files.readString(Path.of("startup.jsh")));
    return shell;
  }

  @Test
  void eightLinesGoFromNothingToATunedModelThatAnswers() throws Exception {
    try (JShell shell = shell()) {
      List<String> echoed = new ArrayList<>();
      for (String line : EIGHT_LINES) {
        echoed.add(evaluate(shell, line));
      }

      assertThat(echoed.get(7)).contains("order: 4711");
      assertThat(evaluate(shell, "run.steps().size()")).isEqualTo("75");
      assertThat(evaluate(shell, "curve.getWidth()")).isEqualTo("900");
      echoed.remove(5); // The JDK's own picture.
      for (String expression : List.of("run.steps().get(0)", "training.trainable()", "Charts.dark()", "data.batches(4, model.renderer())",
          "Loss.crossEntropy()", "AdamW.standard()", "Schedule.cosine(1e-3, 10)", "sampler.sample(\"Hello!\", SamplingParams.greedy()).get(0)",
          "run.series(\"loss\")", "Grpo.on(training)", "Dpo.on(training)", "Distill.on(training)", "Sft.on(training)",
          "Preference.of(\"a\", \"b\", \"c\")", "model.tokenizer()", "model.renderer()", "Charts.Axis.log(\"rate\")",
          "Conversation.of(Message.user(\"Hi\"))", "Progress.of(\"train\", 3)", "run", "fettle")) {
        echoed.add(evaluate(shell, expression));
      }
      for (String value : echoed) {
        assertThat(value).hasSizeLessThanOrEqualTo(80).doesNotContainPattern("[<>\n]");
      }
      evaluate(shell, "fettle.close()");
    }
  }

  @Test
  void completionShowsWhatATrainingCanDo() throws Exception {
    try (JShell shell = shell()) {
      evaluate(shell, "Training training = null");

      List<String> offered = shell.sourceCodeAnalysis().completionSuggestions("training.", 9, new int[1]).stream()
          .map(SourceCodeAnalysis.Suggestion::continuation).toList();

      assertThat(offered).contains("step(", "forwardBackward(", "saveAdapter(", "sampler()")
          .noneMatch(name -> name.contains("$") || name.startsWith("get") && !name.equals("getClass()"));
    }
  }

  @Test
  void documentationOfWhatIsOnTheClassPathIsFound() throws Exception {
    assertThat(JShellSession.document(System.getProperty("java.class.path"))).isTrue();
    try (JShell shell = shell()) {
      evaluate(shell, "Sampler sampler = null");
      String typed = "sampler.chat(";

      assertThat(shell.sourceCodeAnalysis().documentation(typed, typed.length(), true))
          .anySatisfy(found -> {
            assertThat(found.signature()).isEqualTo("String Sampler.chat(String message)");
            assertThat(found.javadoc()).contains("likeliest answer to a user's message");
          });
    }
  }
}
