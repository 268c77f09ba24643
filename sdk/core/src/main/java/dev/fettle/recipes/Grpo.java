package dev.fettle.recipes;

import dev.fettle.AdamW;
import dev.fettle.Batch;
import dev.fettle.Conversation;
import dev.fettle.InvalidInputException;
import dev.fettle.Lora;
import dev.fettle.Loss;
import dev.fettle.Message;
import dev.fettle.Renderer;
import dev.fettle.Sample;
import dev.fettle.Sampler;
import dev.fettle.SamplingParams;
import dev.fettle.Training;
import dev.fettle.internal.OneLine;
import dev.fettle.internal.Positive;
import dev.fettle.internal.data.Limit;
import dev.fettle.internal.recipe.Checkpoints;
import dev.fettle.internal.recipe.Prompts;
import dev.fettle.internal.recipe.Recorder;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Reinforcement learning from a reward function (GRPO, Shao et al. 2024): for each prompt a group of answers is sampled,
 * and each answer is made likelier or less likely as its reward is above or below its group's mean.
 *
 * <pre>{@code
 * Reward reward = (prompt, answer) -> answer.content().length() < 40 ? 1 : 0;
 * Run run = Grpo.on(training).prompts("Where is my parcel?", "Hello!").reward(reward).steps(50).run();
 * }</pre>
 *
 * <p>The loop in {@link #run()} uses public calls only: copy it and change it where this class does not do what you want.
 * The learning rate is the same at each step: 1e-4 for adapters and 1e-5 for all weights unless {@link #learningRate} is
 * called. Not thread-safe, for one use.
 */
public final class Grpo extends PromptRecipe<Grpo> {
  private @Nullable Reward reward;
  private int groups = 8;
  private int samples = 8;
  private boolean scaled;
  private double kl;
  private Loss loss = Loss.importanceSampling();

  private Grpo(Training training) {
    super(training, training.tuning() instanceof Lora ? 1e-4 : 1e-5);
  }

  /** Begins with what is trained. */
  public static Grpo on(Training training) {
    return new Grpo(Objects.requireNonNull(training, "training"));
  }

  /** How good an answer is. Required. */
  public Grpo reward(Reward function) {
    reward = Objects.requireNonNull(function, "function");
    return this;
  }

  /** How many prompts a step. Default 8. */
  public Grpo promptsPerStep(int n) {
    groups = Positive.of("promptsPerStep", n);
    return this;
  }

  /** How many answers to each prompt. Default 8. */
  public Grpo samples(int n) {
    if (n < 2) {
      throw new InvalidInputException("samples " + n + ": a group needs at least 2 answers to compare");
    }
    samples = n;
    return this;
  }

  /** Divides advantages by the rewards' deviation within the group. Default not. */
  public Grpo scaled() {
    scaled = true;
    return this;
  }

  /** Holds the model near its base: how much a nat of divergence a token costs. Default 0. */
  public Grpo kl(double coefficient) {
    if (!(coefficient >= 0 && coefficient < Double.POSITIVE_INFINITY)) {
      throw new InvalidInputException("kl " + coefficient + ": give a finite number, at least 0");
    }
    kl = coefficient;
    return this;
  }

  /** Another loss of the advantages, such as {@link Loss#ppo()}. Default {@link Loss#importanceSampling()}. */
  public Grpo loss(Loss ofAdvantages) {
    loss = Objects.requireNonNull(ofAdvantages, "ofAdvantages");
    return this;
  }

  /**
   * Trains.
   *
   * @throws InvalidInputException if prompts or reward are missing, prompts are too long and rejected, a reward is not
   *     finite, or the directory is rejected as in {@link Sft#run()}
   */
  @Override
  public Run run() {
    Prompts.requireSome("Grpo", prompts);
    reward();
    try (Checkpoints kept = checkpoints()) {
      return run(kept);
    }
  }

  private Reward reward() {
    if (reward == null) {
      throw new InvalidInputException("Grpo without a reward: call reward((prompt, answer) -> ...)");
    }
    return reward;
  }

  private Run run(Checkpoints kept) {
    Renderer renderer = training.renderer();
    Prompts source = new Prompts("Grpo", prompts, Limit.NONE.treating(tooLong).within(renderer.contextLength()),
        chat -> renderer.prompt(chat).length, seed);
    String hash = source.sha256();
    SamplingParams params = sampling.stoppingAtEndOf(renderer).samples(samples);
    AdamW settings = optimizer.withLearningRate(learningRate);
    try (Sampler base = kl > 0 ? training.model().sampler() : null;
        Recorder record = recorder(kept, "grpo", settings(source), steps)) {
      for (int step = 0; step < steps; step++) {
        List<Conversation> asked = source.next(groups);
        if (step < record.count()) {
          continue;
        }
        List<int[]> tokens = asked.stream().map(renderer::prompt).toList();
        List<List<Sample>> answers;
        try (Sampler policy = training.sampler()) {
          answers = policy.sample(tokens, params.seed(seed + step));
        }
        Rollouts rollouts = new Rollouts();
        for (int i = 0; i < asked.size(); i++) {
          double[] rewards = rewards(asked.get(i), answers.get(i));
          rollouts.add(tokens.get(i), answers.get(i), rewards, advantages(rewards, scaled), kl > 0);
        }
        if (base != null) {
          rollouts.penalise(base, kl, "kl_base");
        }
        Map<String, Double> line;
        if (rollouts.isEmpty()) {
          line = record.line(learningRate, rollouts.tokens());
        } else {
          Batch batch = rollouts.batch();
          line = record.line(training.step(batch, loss, settings), learningRate, batch);
        }
        line.putAll(rollouts.metrics());
        record.write(line);
        if (kept.stop(record.count(), steps, saveEvery, hash)) {
          return record.stopped(steps);
        }
      }
      return record.finish("all " + steps + " steps done", 0, List.of());
    }
  }

  private double[] rewards(Conversation prompt, List<Sample> answers) {
    double[] rewards = new double[answers.size()];
    for (int i = 0; i < rewards.length; i++) {
      Message answer = training.renderer().parse(answers.get(i).tokens());
      rewards[i] = reward().of(prompt, answer);
      if (!Double.isFinite(rewards[i])) {
        throw new InvalidInputException("the reward of \"" + answer.content() + "\" is " + rewards[i]
            + "; a reward must be a finite number");
      }
    }
    return rewards;
  }

  /**
   * The advantages of a group of answers: {@code R - mean(R)}, as in the Tinker cookbook.
   *
   * @param scaled whether to divide by {@code deviation + 1e-4}, the unbiased one of the group, as TRL does
   */
  public static double[] advantages(double[] rewards, boolean scaled) {
    double mean = Arrays.stream(Objects.requireNonNull(rewards, "rewards")).average().orElse(0);
    double squares = Arrays.stream(rewards).map(r -> (r - mean) * (r - mean)).sum();
    double unit = scaled ? Math.sqrt(squares / Math.max(1, rewards.length - 1)) + 1e-4 : 1;
    return Arrays.stream(rewards).map(r -> (r - mean) / unit).toArray();
  }

  private Map<String, Object> settings(Prompts source) {
    Map<String, Object> settings = new LinkedHashMap<>();
    settings.put("prompts_per_step", groups);
    settings.put("samples", samples);
    settings.put("scaled", scaled);
    settings.put("kl", kl);
    settings.put("loss", loss.toString());
    return settings(source, settings);
  }

  @Override
  public String toString() {
    return OneLine.of("Grpo", steps + " steps of " + groups + " prompts x " + samples + " answers");
  }
}
