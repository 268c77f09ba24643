//JAVA 17+
//DEPS dev.fettle:fettle-examples:0.1.0-SNAPSHOT

package dev.fettle.examples.tiny;

import dev.fettle.AdamW;
import dev.fettle.Batch;
import dev.fettle.Conversation;
import dev.fettle.DType;
import dev.fettle.Destination;
import dev.fettle.Fettle;
import dev.fettle.Full;
import dev.fettle.Loss;
import dev.fettle.Message;
import dev.fettle.Progress;
import dev.fettle.SamplingParams;
import dev.fettle.Schedule;
import dev.fettle.Training;
import dev.fettle.examples.Command;
import dev.fettle.examples.Options;
import dev.fettle.internal.FileErrors;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * Makes {@code fettle-tiny} from nothing: learns the vocabulary, starts from random weights, trains all of them on the
 * generated corpus, and saves the model in bf16. Run from the root, it writes what the library's jar carries:
 *
 * <pre>{@code mvn -q compile exec:java -Dexec.mainClass=dev.fettle.examples.tiny.PretrainTiny \
 *   -Dexec.args="sdk/core/src/main/resources/dev/fettle/fettle-tiny"}</pre>
 */
public final class PretrainTiny {
  private static final Command COMMAND = new Command("PretrainTiny",
      "Makes fettle-tiny, the model within the library, from nothing: its vocabulary, and its weights on a generated corpus.")
      .argument("DIR", "where the model is saved; by default fettle-tiny")
      .argument("STEPS", "optimizer steps; by default " + TinyRecipe.STEPS);

  private PretrainTiny() {}

  public static void main(String[] args) {
    COMMAND.main(args, PretrainTiny::train);
  }

  private static void train(Options options, PrintStream told) {
    Path out = Path.of(options.argument(0, "fettle-tiny"));
    int steps = Integer.parseInt(options.argument(1, String.valueOf(TinyRecipe.STEPS)));
    try (Destination place = Destination.replacing(out)) {
      train(place, steps, told);
    } catch (IOException e) {
      throw FileErrors.unsaved(out, e);
    }
  }

  private static void train(Destination place, int steps, PrintStream told) throws IOException {
    Path shape = Files.createTempDirectory("fettle-tiny-shape");
    TokenizerTrainer tokenizer = TokenizerTrainer.train(
        Corpus.stream(TinyRecipe.TOKENIZER_SEED).limit(TinyRecipe.TOKENIZER_CONVERSATIONS), TinyRecipe.VOCABULARY);
    tokenizer.write(shape);
    Files.writeString(shape.resolve("config.json"), TinyRecipe.config(tokenizer));
    try (Fettle fettle = Fettle.local()) {
      Training training = fettle.initialise(shape, DType.F32, TinyRecipe.CORPUS_SEED).tune(Full.all());
      told.println(training.model() + " " + training.trainable());
      Schedule schedule = Schedule.cosine(TinyRecipe.LEARNING_RATE, steps).warmup(Math.min(steps, TinyRecipe.WARMUP_STEPS));
      Lessons copying = new Lessons(Corpus.copying(TinyRecipe.CORPUS_SEED), training.renderer());
      Lessons talking = new Lessons(Corpus.stream(TinyRecipe.CORPUS_SEED), training.renderer());
      try (Progress progress = Progress.of("pre-train", steps)) {
        for (int step = 0; step < steps; step++) {
          Batch batch = (step < TinyRecipe.COPYING_STEPS ? copying : talking).next();
          var result = training.step(batch, Loss.crossEntropy(), AdamW.learningRate(schedule.at(step)).clipNorm(TinyRecipe.CLIP_NORM));
          progress.step(result.loss(), batch.tokens());
        }
      }
      training.saveMerged(place.path(), DType.BF16);
      for (String question : List.of("Where is my parcel?", "What is 12 plus 30?", "Spell tiger.", "Hello!")) {
        told.println(question + " -> " + training.sampler().chat(
            Conversation.of(Message.user(question)), SamplingParams.greedy().maxTokens(60)).content());
      }
    }
  }
}
