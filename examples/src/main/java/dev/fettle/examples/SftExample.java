//JAVA 17+
//DEPS dev.fettle:fettle-examples:0.1.0-SNAPSHOT

package dev.fettle.examples;

import dev.fettle.DType;
import dev.fettle.Dataset;
import dev.fettle.Fettle;
import dev.fettle.Lora;
import dev.fettle.Training;
import dev.fettle.examples.tiny.TicketTask;
import dev.fettle.recipes.Run;
import dev.fettle.recipes.Sft;
import java.io.PrintStream;
import java.nio.file.Path;

/** Supervised tuning without a loop of one's own: validation, the best weights kept, a report to open in a browser. */
public final class SftExample {
  private static final Command COMMAND = new Command("SftExample",
      "Tunes the built-in model to a task, with validation, and prints the run and an answer.")
      .argument("DIR", "where the files of the run are; by default runs/sft");

  private SftExample() {}

  public static void main(String[] args) {
    COMMAND.main(args, SftExample::tune);
  }

  private static void tune(Options options, PrintStream out) {
    Path directory = Path.of(options.argument(0, "runs/sft"));
    try (Fettle fettle = Fettle.local()) {
      Training training = fettle.load("fettle-tiny", DType.F32).tune(Lora.rank(16));
      Run run = Sft.on(training)
          .data(Dataset.of(TicketTask.train(1000, 1)))
          .validate(Dataset.of(TicketTask.heldOut(60, 1)))
          .epochs(2)
          .batchSize(8)
          .learningRate(3e-3)
          .directory(directory)
          .run();
      out.println(run + ": " + run.ending());
      out.println(training.sampler().chat("Please cancel order 4711."));
      out.println("report: " + directory.resolve("report.html").toAbsolutePath());
    }
  }
}
