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
import java.io.IOException;
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
  private PretrainTiny() {}

  public static void main(String[] args) throws IOException {
    Path out = Path.of(args.length > 0 ? args[0] : "fettle-tiny");
    int steps = args.length > 1 ? Integer.parseInt(args[1]) : TinyRecipe.STEPS;
    Path shape = Files.createTempDirectory("fettle-tiny-shape");
    TokenizerTrainer tokenizer = TokenizerTrainer.train(
        Corpus.stream(TinyRecipe.TOKENIZER_SEED).limit(TinyRecipe.TOKENIZER_CONVERSATIONS), TinyRecipe.VOCABULARY);
    tokenizer.write(shape);
    Files.writeString(shape.resolve("config.json"), TinyRecipe.config(tokenizer));
    try (Destination place = Destination.replacing(out); Fettle fettle = Fettle.local()) {
      Training training = fettle.initialise(shape, DType.F32, TinyRecipe.CORPUS_SEED).tune(Full.all());
      System.out.println(training.model() + " " + training.trainable());
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
        System.out.println(question + " -> " + training.sampler().chat(
            Conversation.of(Message.user(question)), SamplingParams.greedy().maxTokens(60)).content());
      }
    }
  }
}
