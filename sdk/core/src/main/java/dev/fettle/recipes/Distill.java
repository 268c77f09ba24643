package dev.fettle.recipes;

import dev.fettle.AdamW;
import dev.fettle.Batch;
import dev.fettle.Conversation;
import dev.fettle.Dataset;
import dev.fettle.InvalidInputException;
import dev.fettle.Lora;
import dev.fettle.Loss;
import dev.fettle.Message;
import dev.fettle.Progress;
import dev.fettle.Sample;
import dev.fettle.Sampler;
import dev.fettle.TrainOn;
import dev.fettle.Training;
import dev.fettle.internal.OneLine;
import dev.fettle.internal.Positive;
import dev.fettle.internal.data.Limit;
import dev.fettle.internal.json.JsonPrinter;
import dev.fettle.internal.recipe.Checkpoints;
import dev.fettle.internal.recipe.KeptAnswers;
import dev.fettle.internal.recipe.Prompts;
import dev.fettle.internal.recipe.Recorder;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Learning from a teacher, which may be a larger model or one that was tuned. On-policy, the default, the student answers
 * and the teacher says of each token how likely it would have been (the reverse divergence is made small); teacher and
 * student need the same tokenizer. Off-policy the teacher answers, and the student is tuned to its answers.
 *
 * <pre>{@code
 * Run run = Distill.on(training).teacher(teacher).prompts(questions).steps(50).run();
 * }</pre>
 *
 * <p>The loop uses public calls only: copy it and change it where this class does not do what you want. The learning rate is
 * the same at each step: 5e-4 for adapters and 5e-5 for all weights unless {@link #learningRate} is called. On-policy, what an
 * answer has beyond the context of student or teacher is cut. Not thread-safe, for one use.
 */
public final class Distill extends PromptRecipe<Distill> {
  private @Nullable Sampler teacher;
  private boolean offPolicy;
  private int epochs = 3;
  private int batchSize = 16;

  private Distill(Training training) {
    super(training, training.tuning() instanceof Lora ? 5e-4 : 5e-5);
  }

  /** Begins with the student. */
  public static Distill on(Training training) {
    return new Distill(Objects.requireNonNull(training, "training"));
  }

  /** Whom to learn from; it is not closed here. Required. */
  public Distill teacher(Sampler model) {
    teacher = Objects.requireNonNull(model, "model");
    return this;
  }

  /**
   * Lets the teacher answer each prompt once, and tunes the student to its answers with {@link Sft}. A {@link #directory} keeps the
   * answers, {@code answers.jsonl}: a run that goes on asks for none of them again.
   */
  public Distill offPolicy() {
    offPolicy = true;
    return this;
  }

  /** How often each of the teacher's answers is seen, off-policy. Default 3. */
  public Distill epochs(int n) {
    epochs = Positive.of("epochs", n);
    return this;
  }

  /** Answers a step. Default 16. */
  public Distill batchSize(int n) {
    batchSize = Positive.of("batchSize", n);
    return this;
  }

  /**
   * Trains.
   *
   * @throws InvalidInputException if teacher or prompts are missing, prompts are too long and rejected, the tokenizers
   *     differ on-policy, or the directory is rejected as in {@link Sft#run()}
   */
  @Override
  public Run run() {
    int vocabulary = teacher().tokenizer().vocabSize();
    if (!offPolicy && vocabulary != training.tokenizer().vocabSize()) {
      throw new InvalidInputException("the teacher has " + vocabulary + " tokens, the student "
          + training.tokenizer().vocabSize() + ": on-policy distillation needs one tokenizer; use offPolicy()");
    }
    Prompts.requireSome("Distill", prompts);
    try (Checkpoints kept = checkpoints()) {
      Limit limit = Limit.NONE.treating(tooLong).within(training.renderer().contextLength())
          .within(teacher().renderer().contextLength());
      Prompts source = new Prompts("Distill", prompts, limit, this::promptTokens, seed);
      return offPolicy ? fromAnswers(source) : fromScores(kept, source, limit.tokens());
    }
  }

  private Sampler teacher() {
    if (teacher == null) {
      throw new InvalidInputException("Distill without a teacher: call teacher(sampler)");
    }
    return teacher;
  }

  private int promptTokens(Conversation chat) {
    int own = training.renderer().prompt(chat).length;
    return offPolicy ? Math.max(own, teacher().renderer().prompt(chat).length) : own;
  }

  /** The teacher answers, the student copies. */
  private Run fromAnswers(Prompts source) {
    List<Conversation> questions = source.all();
    KeptAnswers kept = keptAnswers(source);
    try (Progress progress = Progress.of("teacher", questions.size() - kept.all().size())) {
      for (int from = kept.all().size(); from < questions.size(); from += batchSize) {
        List<Conversation> asked = questions.subList(from, Math.min(questions.size(), from + batchSize));
        kept.add(teacher().sampleChats(asked, sampling.seed(seed + from)).stream().map(Sample::tokens).toList());
        kept.all().subList(from, kept.all().size()).forEach(answer -> progress.step(Double.NaN, answer.length));
      }
    }
    List<Conversation> lessons = new ArrayList<>();
    for (int i = 0; i < questions.size(); i++) {
      List<Message> messages = new ArrayList<>(questions.get(i).messages());
      messages.add(teacher().renderer().parse(kept.all().get(i)));
      lessons.add(new Conversation(messages, questions.get(i).tools()));
    }
    return pass(Sft.on(training).data(Dataset.of(lessons)).trainOn(TrainOn.LAST_ASSISTANT_MESSAGE).epochs(epochs)
        .batchSize(batchSize)).run();
  }

  private KeptAnswers keptAnswers(Prompts asked) {
    String key = JsonPrinter.line(new TreeMap<>(Map.of("asked_sha256", asked.sha256(), "teacher", teacher().toString(), "max_tokens",
        sampling.maxTokens(), "temperature", sampling.temperature(), "top_k", sampling.topK(), "top_p", sampling.topP(), "batch_size",
        batchSize, "seed", seed)));
    return new KeptAnswers(Optional.ofNullable(directory), key, asked.all().size(), batchSize, isAnew());
  }

  /** The student answers, the teacher scores each token. */
  private Run fromScores(Checkpoints kept, Prompts source, int context) {
    AdamW settings = optimizer.withLearningRate(learningRate);
    String hash = source.sha256();
    Map<String, Object> own = new TreeMap<>(Map.of("teacher", teacher().toString(), "batch_size", batchSize));
    try (Recorder record = recorder(kept, "distill", settings(about(source), own), steps)) {
      for (int step = 0; step < steps; step++) {
        List<Conversation> asked = source.next(batchSize);
        if (step < record.count()) {
          continue;
        }
        List<Sample> answers;
        try (Sampler student = training.sampler()) {
          answers = student.sampleChats(asked, sampling.seed(seed + step));
        }
        Rollouts rollouts = new Rollouts();
        for (int i = 0; i < asked.size(); i++) {
          int[] prompt = training.renderer().prompt(asked.get(i));
          rollouts.add(Episode.of(prompt, Rollouts.cut(answers.get(i), context - prompt.length)));
        }
        rollouts.penalise(teacher(), 1, "reverse_kl");
        Batch batch = rollouts.batch();
        Map<String, Double> line = record.line(training.step(batch, Loss.importanceSampling(), settings), learningRate, batch);
        line.putAll(rollouts.metrics());
        record.write(line);
        if (kept.stop(record.count(), steps, saveEvery, hash)) {
          return record.stopped(steps);
        }
      }
      return record.finish("all " + steps + " steps done", 0, List.of());
    }
  }

  @Override
  public String toString() {
    return OneLine.of("Distill", (offPolicy ? "off-policy, " : "on-policy, ") + prompts.size() + " prompts");
  }
}
