package dev.fettle.recipes;

import dev.fettle.Conversation;
import dev.fettle.InvalidInputException;
import dev.fettle.Message;
import dev.fettle.SamplingParams;
import dev.fettle.TooLong;
import dev.fettle.Training;
import dev.fettle.internal.NoNulls;
import dev.fettle.internal.Positive;
import dev.fettle.internal.recipe.Prompts;
import dev.fettle.internal.recipe.RunFiles;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * A recipe whose data are prompts: the answers to learn from are sampled while it runs. Not thread-safe, for one use.
 *
 * @param <R> the recipe itself
 */
public abstract sealed class PromptRecipe<R extends PromptRecipe<R>> extends Recipe<R> permits Distill, Grpo {
  List<Conversation> prompts = List.of();
  int steps = 50;
  SamplingParams sampling = SamplingParams.standard().maxTokens(64);
  TooLong tooLong = TooLong.SKIP;

  PromptRecipe(Training training, double learningRate) {
    super(training, learningRate);
  }

  /** What to ask. Required. */
  public R prompts(List<Conversation> chats) {
    prompts = List.copyOf(NoNulls.in(chats, "chats"));
    return self();
  }

  /** Users' messages to ask. */
  public R prompts(String... messages) {
    return prompts(Arrays.stream(NoNulls.in(messages, "messages")).map(m -> Conversation.of(Message.user(m))).toList());
  }

  /** How many steps. Default 50. */
  public R steps(int n) {
    steps = Positive.of("steps", n);
    return self();
  }

  /** How to sample; number of samples and seed are set here. Default at temperature 1, at most 64 tokens. */
  public R sampling(SamplingParams params) {
    sampling = Objects.requireNonNull(params, "params");
    return self();
  }

  /**
   * What becomes of prompts that leave no room for an answer in the model's context, and the teacher's where there is one:
   * they are left out, or rejected before the first step. Default {@link TooLong#SKIP}.
   *
   * @throws InvalidInputException for {@link TooLong#CUT}: a prompt cannot be cut
   */
  public R tooLong(TooLong longer) {
    tooLong = Prompts.tooLong(longer);
    return self();
  }

  /** What a run's settings say of its prompts. */
  static Map<String, Object> about(Prompts source) {
    Map<String, Object> about = new LinkedHashMap<>();
    about.put("prompts", source.all().size());
    about.put("data_sha256", source.sha256());
    about.put("lengths", source.lengths());
    return about;
  }

  /** What a run's settings are: those of its data, the recipe's own, and those of all such recipes. */
  final Map<String, Object> settings(Map<String, Object> data, Map<String, Object> own) {
    Map<String, Object> settings = new LinkedHashMap<>(data);
    settings.put("steps", steps);
    settings.putAll(own);
    settings.put("learning_rate", learningRate);
    settings.put("optimizer", RunFiles.optimizer(optimizer));
    settings.put("max_tokens", sampling.maxTokens());
    settings.put("temperature", sampling.temperature());
    settings.put("seed", seed);
    return settings;
  }
}
