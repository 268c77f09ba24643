package dev.fettle.recipes;

import dev.fettle.AdamW;
import dev.fettle.Batch;
import dev.fettle.InvalidInputException;
import dev.fettle.Lora;
import dev.fettle.Loss;
import dev.fettle.Renderer;
import dev.fettle.Sampler;
import dev.fettle.Training;
import dev.fettle.internal.Digests;
import dev.fettle.internal.NoNulls;
import dev.fettle.internal.OneLine;
import dev.fettle.internal.Positive;
import dev.fettle.internal.data.Limit;
import dev.fettle.internal.recipe.Checkpoints;
import dev.fettle.internal.recipe.Prompts;
import dev.fettle.internal.recipe.Recorder;
import dev.fettle.internal.recipe.Shuffled;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import java.util.function.IntFunction;
import java.util.function.Supplier;
import java.util.stream.Stream;
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
 * <p>In an {@link Environment} the model speaks several times and may call tools, and what is rewarded is the whole:
 * {@link #environments}.
 *
 * <p>The loop in {@link #run()} uses public calls only: copy it and change it where this class does not do what you want.
 * The learning rate is the same at each step: 1e-4 for adapters and 1e-5 for all weights unless {@link #learningRate} is
 * called. Not thread-safe, for one use.
 */
public final class Grpo extends PromptRecipe<Grpo> {
  private @Nullable Reward reward;
  private @Nullable List<Supplier<Environment>> environments;
  private int turns = 8;
  private int episodeTokens = Integer.MAX_VALUE;
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

  /** How good an answer is. Required with {@link #prompts}. */
  public Grpo reward(Reward function) {
    reward = Objects.requireNonNull(function, "function");
    return this;
  }

  /**
   * What to talk to in several turns, in place of prompts and a reward. The model's turns are learnt, and nothing that it reads;
   * tokens that were sampled stay as they were, whatever a template would make of their text. {@link #sampling} bounds a turn.
   *
   * @param tasks one of which each group of episodes has
   * @param begin makes an environment for a task; each episode has its own
   */
  public <T> Grpo environments(List<T> tasks, Function<? super T, ? extends Environment> begin) {
    Objects.requireNonNull(begin, "begin");
    List<T> all = List.copyOf(NoNulls.in(tasks, "tasks"));
    if (all.isEmpty()) {
      throw new InvalidInputException("environments without a task: give at least one");
    }
    environments = all.stream().map(task -> (Supplier<Environment>) () -> NoNulls.given(begin.apply(task), "begin", task)).toList();
    return this;
  }

  /** How often the model may speak in an episode, before it ends all the same. Default 8. */
  public Grpo turns(int most) {
    turns = Positive.of("turns", most);
    return this;
  }

  /** How many tokens an episode may have, all that is read included. Default, and upper bound, the model's context. */
  public Grpo episodeTokens(int most) {
    episodeTokens = Positive.of("episodeTokens", most);
    return this;
  }

  /** How many prompts, or environments, a step. Default 8. */
  public Grpo promptsPerStep(int n) {
    groups = Positive.of("promptsPerStep", n);
    return this;
  }

  /** How many answers to each prompt, or episodes in each environment. Default 8. */
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
   * @throws InvalidInputException if prompts or reward, or else environments, are missing, prompts are too long and rejected, a
   *     reward is not finite, or the directory is rejected as in {@link Sft#run()}
   */
  @Override
  public Run run() {
    if (environments == null) {
      Prompts.requireSome("Grpo", prompts);
      if (reward == null) {
        throw new InvalidInputException("Grpo without a reward: call reward((prompt, answer) -> ...)");
      }
    } else if (!prompts.isEmpty() || reward != null) {
      throw new InvalidInputException("Grpo with environments, which ask and reward by themselves, and with prompts or a reward: "
          + "give the one or the others");
    }
    try (Checkpoints kept = checkpoints()) {
      return run(kept);
    }
  }

  /** Where groups of environments come from, and what of them goes into the run's settings. */
  private record Source(IntFunction<List<Supplier<Environment>>> next, Map<String, Object> settings) {}

  private Source source() {
    List<Supplier<Environment>> given = environments;
    if (given != null) {
      Shuffled<Supplier<Environment>> shuffled = new Shuffled<>(given, seed);
      Map<String, Object> about = new LinkedHashMap<>();
      about.put("environments", given.size());
      about.put("turns", turns);
      about.put("episode_tokens", episodeTokens == Integer.MAX_VALUE ? null : episodeTokens);
      return new Source(shuffled::next, about);
    }
    Renderer renderer = training.renderer();
    Reward judge = Objects.requireNonNull(reward, "reward");
    Prompts source = new Prompts("Grpo", prompts, Limit.NONE.treating(tooLong).within(renderer.contextLength()),
        chat -> renderer.prompt(chat).length, seed);
    return new Source(count -> source.next(count).stream()
        .map(prompt -> (Supplier<Environment>) () -> new Question(prompt, judge)).toList(), about(source));
  }

  private Run run(Checkpoints kept) {
    Source source = source();
    Map<String, Object> about = settings(source.settings, settings());
    String hash = Digests.sha256(about.toString());
    Episodes episodes = new Episodes(training.renderer(), sampling, environments == null ? 1 : turns, episodeTokens);
    AdamW settings = optimizer.withLearningRate(learningRate);
    try (Sampler base = kl > 0 ? training.model().sampler() : null; Recorder record = recorder(kept, "grpo", about, steps)) {
      for (int step = 0; step < steps; step++) {
        List<Supplier<Environment>> tasks = source.next.apply(groups);
        if (step < record.count()) {
          continue;
        }
        List<List<Environment>> asked = tasks.stream().map(task -> Stream.generate(task).limit(samples).toList()).toList();
        List<List<Episodes.Played>> played;
        try (Sampler policy = training.sampler()) {
          played = episodes.play(policy, asked, seed + step);
        }
        Rollouts rollouts = rollouts(played);
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

  private Rollouts rollouts(List<List<Episodes.Played>> played) {
    Rollouts rollouts = new Rollouts();
    for (List<Episodes.Played> group : played) {
      double[] rewards = group.stream().mapToDouble(Episodes.Played::reward).toArray();
      rollouts.add(group.stream().map(Episodes.Played::episode).toList(), rewards, advantages(rewards, scaled), kl > 0);
      if (environments != null) {
        group.forEach(episode -> {
          rollouts.note("turns", episode.turns());
          rollouts.note("cut_off", episode.cut() ? 1 : 0);
        });
      }
    }
    return rollouts;
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

  private Map<String, Object> settings() {
    Map<String, Object> settings = new LinkedHashMap<>();
    settings.put("prompts_per_step", groups);
    settings.put("samples", samples);
    settings.put("scaled", scaled);
    settings.put("kl", kl);
    settings.put("loss", loss.toString());
    return settings;
  }

  @Override
  public String toString() {
    return OneLine.of("Grpo", steps + " steps of " + groups + " prompts x " + samples + " answers");
  }
}
