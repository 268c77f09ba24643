//JAVA 17+
//DEPS dev.fettle:fettle-examples:0.1.0-SNAPSHOT

package dev.fettle.examples;

import dev.fettle.AdamW;
import dev.fettle.BaseModel;
import dev.fettle.Batch;
import dev.fettle.Batches;
import dev.fettle.Conversation;
import dev.fettle.DType;
import dev.fettle.Dataset;
import dev.fettle.Fettle;
import dev.fettle.Lora;
import dev.fettle.Loss;
import dev.fettle.Message;
import dev.fettle.Progress;
import dev.fettle.Sample;
import dev.fettle.Sampler;
import dev.fettle.SamplingParams;
import dev.fettle.Schedule;
import dev.fettle.Training;
import dev.fettle.examples.tiny.TicketTask;
import dev.fettle.examples.tiny.TinyRecipe;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The first thing to run: LoRA-tunes the model within the library to a task that it cannot do, turning a customer's
 * message into one line of a command language, and measures it on messages that it has not seen.
 */
public final class Quickstart {
  private static final int HELD_OUT = 60;

  private static final Command COMMAND = new Command("Quickstart",
      "Tunes the built-in model to a new task, and measures it before and after on messages that it has not seen.")
      .takes(Option.REMOTE)
      .argument("DIR", "where the adapter is saved; by default my-adapter");

  private Quickstart() {}

  public static void main(String[] args) {
    COMMAND.main(args, Quickstart::tune);
  }

  private static void tune(Options options, PrintStream out) {
    try (Fettle fettle = options.fettle()) {
      // So small a model gains nothing from bf16.
      BaseModel base = options.isRemote() ? fettle.load("fettle-tiny") : fettle.load("fettle-tiny", DType.F32);
      out.println(base);
      List<Conversation> heldOut = TicketTask.heldOut(HELD_OUT, 1);
      report(out, "before", base.sampler(), heldOut);

      Training training = base.tune(Lora.rank(TinyRecipe.TICKET_RANK));
      out.println(training.trainable());
      Batches batches = Dataset.of(TicketTask.train(TinyRecipe.TICKETS, 1)).shuffle(7)
          .epochs(TinyRecipe.TICKET_EPOCHS).batches(TinyRecipe.TICKET_BATCH, training.renderer());
      int steps = TinyRecipe.TICKETS * TinyRecipe.TICKET_EPOCHS / TinyRecipe.TICKET_BATCH;
      Schedule schedule = Schedule.linear(TinyRecipe.TICKET_LEARNING_RATE, steps)
          .warmup(TinyRecipe.TICKET_WARMUP_STEPS);
      try (Progress progress = Progress.of("train", steps)) {
        for (Batch batch : batches) {
          AdamW settings = AdamW.learningRate(schedule.at(training.steps()));
          progress.step(training.step(batch, Loss.crossEntropy(), settings).loss(), batch.tokens());
        }
      }
      Path adapter = Path.of(options.argument(0, "my-adapter"));
      training.saveAdapter(adapter);
      report(out, "after", training.sampler(), heldOut);
      out.println("adapter saved in " + adapter.toAbsolutePath());
    }
  }

  /** Prints three answers, and the share of held-out messages that are answered exactly, in greedy decoding. */
  private static void report(PrintStream out, String when, Sampler sampler, List<Conversation> heldOut) {
    List<Conversation> questions = new ArrayList<>();
    heldOut.forEach(c -> questions.add(Conversation.of(c.messages().get(0))));
    List<Sample> answers = sampler.sampleChats(questions, SamplingParams.greedy().maxTokens(48));
    int exact = 0;
    for (int i = 0; i < answers.size(); i++) {
      Message expected = heldOut.get(i).messages().get(1);
      exact += answers.get(i).text().equals(expected.content()) ? 1 : 0;
      if (i < 3) {
        out.println("  " + questions.get(i).messages().get(0).content() + "\n    -> " + answers.get(i).text());
      }
    }
    out.printf("%s: %d of %d held-out messages answered exactly (%.0f %%)%n", when, exact, answers.size(),
        100.0 * exact / answers.size());
  }
}
