package dev.fettle;

import dev.fettle.recipes.Distill;
import dev.fettle.recipes.Dpo;
import dev.fettle.recipes.Grpo;
import dev.fettle.recipes.Run;
import dev.fettle.recipes.Sft;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/** A process that runs recipes, each in a directory of its own; in the middle it may do something else first. */
final class RecipeMain {
  private static final List<String> WORDS = List.of("red", "blue", "green", "black", "white", "brown", "pink", "grey");

  private final Path directory;
  private final Runnable middle;
  private final BaseModel model;

  private RecipeMain(Path directory, Runnable middle, BaseModel model) {
    this.directory = directory;
    this.middle = middle;
    this.model = model;
  }

  /** Takes the directory, what to do in the middle, and the recipes. */
  public static void main(String[] args) throws IOException {
    Runnable middle = switch (args[1]) {
      case "wait" -> RecipeMain::untilToldToEnd;
      case "hang" -> RecipeMain::hang;
      case "exit" -> () -> System.exit(3);
      default -> () -> { };
    };
    try (Fettle fettle = Fettle.local()) {
      RecipeMain main = new RecipeMain(Path.of(args[0]), middle, fettle.load("fettle-tiny", DType.F32));
      for (int i = 2; i < args.length; i++) {
        Run run = main.run(args[i]);
        System.out.println(run.recipe() + ": " + run.ending());
      }
      if (args[1].equals("after")) {
        hang();
      }
    }
  }

  private Run run(String recipe) throws IOException {
    Training training = model.tune(Lora.rank(2));
    Path own = directory.resolve(recipe);
    List<Conversation> questions = WORDS.stream().map(w -> Conversation.of(Message.user("I like " + w + "."))).toList();
    SamplingParams brief = SamplingParams.standard().maxTokens(4);
    return switch (recipe) {
      case "sft" -> Sft.on(training).data(data()).validate(Dataset.of(new Text("red is no colour"))).epochs(2).batchSize(4)
          .learningRate(3e-3).validateEvery(3).directory(own).run();
      case "dpo" -> {
        List<Preference> pairs = new ArrayList<>();
        questions.forEach(q -> pairs.add(Preference.of(q, Message.assistant("good"), Message.assistant("bad"))));
        yield Dpo.on(training).data(pairs).batchSize(2).epochs(12).learningRate(1e-3).directory(own).run();
      }
      case "grpo" -> {
        AtomicInteger calls = new AtomicInteger();
        yield Grpo.on(training).prompts(questions).promptsPerStep(2).samples(2).steps(8).kl(0.1).sampling(brief)
            .reward((prompt, answer) -> {
              if (calls.incrementAndGet() == 10) {
                middle.run();
              }
              return answer.content().length();
            }).directory(own).run();
      }
      default -> {
        Training taught = model.tune(Lora.rank(2));
        Sft.on(taught).data(Dataset.of(new Text("red is a colour"))).epochs(4).learningRate(1e-2).run();
        yield Distill.on(training).teacher(taught.sampler()).prompts(questions).steps(20).batchSize(2).sampling(brief)
            .directory(own).run();
      }
    };
  }

  /** Forty lines, which are read once beforehand and once for each of two epochs. */
  private Dataset data() throws IOException {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < 40; i++) {
      text.append("{\"text\": \"").append(WORDS.get(i % 8)).append(' ').append(i).append(" is a colour\"}\n");
    }
    Path file = Files.writeString(directory.resolve("data.jsonl"), text);
    AtomicInteger lines = new AtomicInteger();
    return Dataset.jsonl(file, line -> {
      if (lines.incrementAndGet() == 40 + 40 + 25) {
        middle.run();
      }
      return new Text((String) line.get("text"));
    });
  }

  /** Returns when the process has been told to end: then it takes no more hooks. */
  private static void untilToldToEnd() {
    System.out.println("waiting");
    Thread hook = new Thread();
    try {
      while (true) {
        Runtime.getRuntime().addShutdownHook(hook);
        Runtime.getRuntime().removeShutdownHook(hook);
        Thread.sleep(2);
      }
    } catch (IllegalStateException | InterruptedException e) {
      return;
    }
  }

  private static void hang() {
    System.out.println("waiting");
    try {
      Thread.sleep(Long.MAX_VALUE);
    } catch (InterruptedException e) {
      return;
    }
  }
}
