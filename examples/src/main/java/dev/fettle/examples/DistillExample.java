//JAVA 17+
//DEPS dev.fettle:fettle-examples:0.1.0-SNAPSHOT

package dev.fettle.examples;

import dev.fettle.BaseModel;
import dev.fettle.Conversation;
import dev.fettle.DType;
import dev.fettle.Dataset;
import dev.fettle.Fettle;
import dev.fettle.Lora;
import dev.fettle.Sampler;
import dev.fettle.SamplingParams;
import dev.fettle.Training;
import dev.fettle.examples.tiny.TicketTask;
import dev.fettle.recipes.Distill;
import dev.fettle.recipes.Run;
import dev.fettle.recipes.Sft;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.List;

/** A student learns the ticket task from a tuned teacher alone: first it copies answers, then its own are scored. */
public final class DistillExample {
  private static final Command COMMAND = new Command("DistillExample",
      "Teaches a small adapter what a larger one knows, and prints how near it comes.")
      .argument("DIR", "where the files of the run are; by default runs/distill");

  private DistillExample() {}

  public static void main(String[] args) {
    COMMAND.main(args, DistillExample::tune);
  }

  private static void tune(Options options, PrintStream out) {
    Path directory = Path.of(options.argument(0, "runs/distill"));
    SamplingParams brief = SamplingParams.standard().maxTokens(32);
    try (Fettle fettle = Fettle.local()) {
      BaseModel base = fettle.load("fettle-tiny", DType.F32);
      Training taught = base.tune(Lora.rank(16));
      Sft.on(taught).data(Dataset.of(TicketTask.train(1000, 1))).epochs(2).batchSize(8).learningRate(3e-3).run();
      Sampler teacher = taught.sampler();

      Training student = base.tune(Lora.rank(8));
      List<Conversation> questions = TicketTask.train(300, 2).stream().map(c -> Conversation.of(c.messages().get(0))).toList();
      Distill.on(student).teacher(teacher).prompts(questions).offPolicy().epochs(2).batchSize(8).learningRate(3e-3)
          .sampling(brief).run();
      Run run = Distill.on(student).teacher(teacher).prompts(questions).steps(20).learningRate(5e-4).sampling(brief)
          .directory(directory).run();
      out.printf("divergence from the teacher: %.3f nats a token at first, %.3f at last%n",
          run.series("reverse_kl").y()[0], run.last("reverse_kl", 10));
      out.println(student.sampler().chat("Please cancel order 4711."));
      out.println("report: " + directory.resolve("report.html").toAbsolutePath());
    }
  }
}
