//JAVA 17+
//DEPS dev.fettle:fettle-examples:0.1.0-SNAPSHOT

package dev.fettle.examples;

import dev.fettle.Conversation;
import dev.fettle.DType;
import dev.fettle.Fettle;
import dev.fettle.Lora;
import dev.fettle.Message;
import dev.fettle.SamplingParams;
import dev.fettle.Training;
import dev.fettle.recipes.Grpo;
import dev.fettle.recipes.Reward;
import dev.fettle.recipes.Run;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Reinforcement learning from a reward that a function computes: sums, right or wrong. */
public final class GrpoExample {
  private static final Command COMMAND = new Command("GrpoExample",
      "Teaches the built-in model to add by a reward, and prints how many answers are right.")
      .argument("DIR", "where the files of the run are; by default runs/grpo");

  private GrpoExample() {}

  public static void main(String[] args) {
    COMMAND.main(args, GrpoExample::tune);
  }

  private static void tune(Options options, PrintStream out) {
    Path directory = Path.of(options.argument(0, "runs/grpo"));
    Reward right = (prompt, answer) -> answer.content().strip().equals(sum(prompt)) ? 1 : 0;
    try (Fettle fettle = Fettle.local()) {
      Training training = fettle.load("fettle-tiny", DType.F32).tune(Lora.rank(16));
      Run run = Grpo.on(training)
          .prompts(questions())
          .reward(right)
          .steps(60)
          .promptsPerStep(16)
          .samples(8)
          .kl(0.02)
          .learningRate(1e-3)
          .sampling(SamplingParams.standard().maxTokens(16))
          .directory(directory)
          .run();
      out.printf("right answers: %.0f %% in the first ten steps, %.0f %% in the last%n", 100 * first(run, 10),
          100 * run.last("reward", 10));
      out.println("report: " + directory.resolve("report.html").toAbsolutePath());
    }
  }

  private static double first(Run run, int count) {
    return run.steps().stream().limit(count).mapToDouble(s -> s.value("reward")).average().orElseThrow();
  }

  private static List<Conversation> questions() {
    List<Conversation> questions = new ArrayList<>();
    for (int a = 0; a <= 10; a++) {
      for (int b = 0; b <= 10; b++) {
        questions.add(Conversation.of(Message.user("What is " + a + " plus " + b + "?")));
      }
    }
    return questions;
  }

  private static String sum(Conversation prompt) {
    String[] words = prompt.messages().get(0).content().split("[ ?]");
    return String.valueOf(Integer.parseInt(words[2]) + Integer.parseInt(words[4]));
  }
}
