//JAVA 17+
//DEPS dev.fettle:fettle-examples:0.1.0-SNAPSHOT

package dev.fettle.examples;

import dev.fettle.Conversation;
import dev.fettle.DType;
import dev.fettle.Fettle;
import dev.fettle.Lora;
import dev.fettle.Message;
import dev.fettle.Preference;
import dev.fettle.Sample;
import dev.fettle.Sampler;
import dev.fettle.SamplingParams;
import dev.fettle.Training;
import dev.fettle.examples.tiny.TicketTask;
import dev.fettle.recipes.Dpo;
import dev.fettle.recipes.Run;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Learning from preferences: a shop command is preferred to what the model would say of itself. */
public final class DpoExample {
  private static final Command COMMAND = new Command("DpoExample",
      "Teaches the built-in model which of two answers is preferred, and prints how often it does.")
      .argument("DIR", "where the files of the run are; by default runs/dpo");

  private DpoExample() {}

  public static void main(String[] args) {
    COMMAND.main(args, DpoExample::tune);
  }

  private static void tune(Options options, PrintStream out) {
    Path directory = Path.of(options.argument(0, "runs/dpo"));
    try (Fettle fettle = Fettle.local()) {
      Training training = fettle.load("fettle-tiny", DType.F32).tune(Lora.rank(16));
      Run run = Dpo.on(training)
          .data(pairs(training.sampler()))
          .epochs(2)
          .learningRate(5e-4)
          .directory(directory)
          .run();
      out.printf("chosen over rejected: %.0f %% at first, %.0f %% at last; margin %.2f, then %.2f%n",
          100 * run.values("accuracy")[0], 100 * run.last("accuracy", 5), run.values("margin")[0], run.last("margin", 5));
      out.println("report: " + directory.resolve("report.html").toAbsolutePath());
    }
  }

  private static List<Preference> pairs(Sampler sampler) {
    List<Conversation> tickets = TicketTask.train(160, 1);
    List<Conversation> questions = tickets.stream().map(c -> Conversation.of(c.messages().get(0))).toList();
    List<Sample> own = sampler.sampleChats(questions, SamplingParams.greedy().maxTokens(40));
    List<Preference> pairs = new ArrayList<>();
    for (int i = 0; i < tickets.size(); i++) {
      Message wanted = tickets.get(i).messages().get(1);
      pairs.add(Preference.of(questions.get(i), wanted, Message.assistant(own.get(i).text())));
    }
    return pairs;
  }
}
