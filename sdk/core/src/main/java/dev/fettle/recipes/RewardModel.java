package dev.fettle.recipes;

import dev.fettle.Completion;
import dev.fettle.Conversation;
import dev.fettle.Dataset;
import dev.fettle.Example;
import dev.fettle.InvalidInputException;
import dev.fettle.Message;
import dev.fettle.Preference;
import dev.fettle.Schedule;
import dev.fettle.Training;
import dev.fettle.internal.Digests;
import dev.fettle.internal.NoNulls;
import dev.fettle.internal.OneLine;
import dev.fettle.internal.Positive;
import dev.fettle.internal.recipe.Checkpoints;
import dev.fettle.internal.recipe.Epochs;
import dev.fettle.internal.recipe.Recorder;
import dev.fettle.internal.recipe.RunFiles;
import dev.fettle.ranking.RankLoss;
import dev.fettle.ranking.RankResult;
import dev.fettle.ranking.Ranked;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A model that says how good an answer is, from pairs of which one was preferred (Bradley and Terry 1952, as in Ouyang et al.
 * 2022): {@code -mean(log sigmoid(s(chosen) - s(rejected)))} is made small, which is {@link RankLoss#rankNet()} of pairs. The score
 * {@code s} is that of {@link dev.fettle.BaseModel#score}: the one output of a classifier, or of a causal language model the logit of
 * yes less that of no.
 *
 * <pre>{@code
 * Training judge = fettle.load("Qwen/Qwen3-0.6B").tune(Lora.rank(16));
 * RewardModel.on(judge).data(Dataset.jsonl(Path.of("pairs.jsonl"))).run();
 * Grpo.on(training).prompts(questions).reward(RewardModel.reward(judge)).run();
 * }</pre>
 *
 * <p>The query of a score is the prompt: the user's message, or where there are more, all messages, each after its role. The loop in
 * {@link #run()} uses public calls only. The learning rate begins at 1e-4 unless {@link #learningRate} is called, and falls evenly
 * to 0. Texts too long for the model are cut as {@code score} cuts them. For models on this machine: the Tinker protocol has no
 * scores of texts, and says so when the first step is made. Not thread-safe, for one use.
 */
public final class RewardModel extends Recipe<RewardModel> {
  private @Nullable Dataset data;
  private int epochs = 1;
  private int batchSize = 8;

  private RewardModel(Training training) {
    super(training, 1e-4);
  }

  /** Begins with what is trained. */
  public static RewardModel on(Training training) {
    return new RewardModel(Objects.requireNonNull(training, "training"));
  }

  /** What to learn from: pairs, which {@link #run()} reads once and holds. Required. */
  public RewardModel data(Dataset pairs) {
    data = Objects.requireNonNull(pairs, "pairs");
    return this;
  }

  /** The same from memory. */
  public RewardModel data(List<Preference> pairs) {
    return data(Dataset.of(NoNulls.in(pairs, "pairs")));
  }

  /** How often each pair is seen, in another order each time. Default 1. */
  public RewardModel epochs(int n) {
    epochs = Positive.of("epochs", n);
    return this;
  }

  /** Pairs a step. Default 8. */
  public RewardModel batchSize(int pairs) {
    batchSize = Positive.of("batchSize", pairs);
    return this;
  }

  /**
   * Trains.
   *
   * @throws InvalidInputException if there are no data, or others than pairs, or the directory is rejected as in
   *     {@link Sft#run()}
   * @throws dev.fettle.UnsupportedModelException if a service trains, or the model embeds texts
   */
  @Override
  public Run run() {
    Dataset examples = data;
    if (examples == null) {
      throw new InvalidInputException("RewardModel without data: call data(...) with at least one pair");
    }
    try (Checkpoints kept = checkpoints()) {
      return run(kept, ranked(examples));
    }
  }

  private Run run(Checkpoints kept, List<Ranked> pairs) {
    String hash = Digests.sha256(pairs.stream().map(p -> p.query() + '\0' + String.join("\0", p.texts()))
        .collect(Collectors.joining("\1")));
    Epochs<Ranked> batches = new Epochs<>(pairs, epochs, batchSize, seed);
    int total = batches.count();
    Schedule rates = Schedule.linear(learningRate, total);
    int seen = 0;
    try (Recorder record = recorder(kept, "reward", settings(pairs.size(), hash), total)) {
      for (List<Ranked> batch : batches) {
        if (seen++ < record.count()) {
          continue;
        }
        double rate = rates.at(record.count());
        RankResult result = training.step(batch, RankLoss.rankNet(), optimizer.withLearningRate(rate));
        Map<String, Double> line = record.line(rate, tokens(batch));
        line.put("loss", result.loss());
        line.putAll(metrics(result));
        record.write(line);
        if (kept.stop(record.count(), total, saveEvery, hash)) {
          return record.stopped(total);
        }
      }
      return record.finish("all " + total + " steps done", 0, List.of());
    }
  }

  private long tokens(List<Ranked> batch) {
    return batch.stream().flatMap(p -> p.texts().stream().map(text -> p.query() + text))
        .mapToLong(text -> training.tokenizer().encode(text).length).sum();
  }

  private static Map<String, Double> metrics(RankResult result) {
    double chosen = result.scores().stream().mapToDouble(s -> s[0]).average().orElseThrow();
    double rejected = result.scores().stream().mapToDouble(s -> s[1]).average().orElseThrow();
    Map<String, Double> metrics = new LinkedHashMap<>();
    metrics.put("accuracy", result.scores().stream().mapToDouble(s -> s[0] > s[1] ? 1 : 0).average().orElseThrow());
    metrics.put("margin", chosen - rejected);
    metrics.put("chosen_reward", chosen);
    metrics.put("rejected_reward", rejected);
    return metrics;
  }

  /** The score of an answer as a reward, with the weights as they are when it is asked for. */
  public static Reward reward(Training judge) {
    Objects.requireNonNull(judge, "judge");
    return (prompt, answer) -> judge.score(query(prompt.messages()), List.of(words(answer)))[0];
  }

  /** The share of pairs whose chosen answer has the higher score, with the weights as they are. */
  public static double accuracy(Training judge, Dataset pairs) {
    Objects.requireNonNull(judge, "judge");
    int right = 0;
    int all = 0;
    for (Ranked pair : ranked(Objects.requireNonNull(pairs, "pairs"))) {
      float[] scores = judge.score(pair.query(), pair.texts());
      right += scores[0] > scores[1] ? 1 : 0;
      all++;
    }
    return (double) right / all;
  }

  private static List<Ranked> ranked(Dataset data) {
    List<Ranked> ranked = new ArrayList<>();
    for (Example example : data.examples()) {
      if (!(example instanceof Preference pair)) {
        throw new InvalidInputException(data + ", pair " + (ranked.size() + 1) + " is a " + example + ": RewardModel learns from "
            + Lessons.PAIRS);
      }
      ranked.add(Ranked.graded(query(pair.chosen()), List.of(text(pair.chosen()), text(pair.rejected())), List.of(1.0, 0.0)));
    }
    if (ranked.isEmpty()) {
      throw new InvalidInputException("RewardModel without data: " + data + " has no pair");
    }
    return ranked;
  }

  private static String query(Example example) {
    return example instanceof Completion completion ? completion.prompt()
        : query(((Conversation) example).messages().stream().takeWhile(m -> !m.trained()).toList());
  }

  private static String query(List<Message> prompt) {
    return prompt.size() == 1 ? words(prompt.get(0)) : spoken(prompt);
  }

  private static String text(Example example) {
    if (example instanceof Completion completion) {
      return completion.completion();
    }
    List<Message> answer = ((Conversation) example).messages().stream().dropWhile(m -> !m.trained()).toList();
    return answer.size() == 1 ? words(answer.get(0)) : spoken(answer);
  }

  private static String spoken(List<Message> messages) {
    return messages.stream().map(m -> m.role() + ": " + words(m)).collect(Collectors.joining("\n"));
  }

  /** What a message says; of calls their names and arguments. */
  private static String words(Message message) {
    List<String> words = new ArrayList<>(message.content().isEmpty() ? List.of() : List.of(message.content()));
    message.toolCalls().forEach(call -> words.add(call.name() + " " + call.arguments()));
    return String.join("\n", words);
  }

  private Map<String, Object> settings(int pairs, String hash) {
    Map<String, Object> settings = new LinkedHashMap<>();
    settings.put("pairs", pairs);
    settings.put("data_sha256", hash);
    settings.put("epochs", epochs);
    settings.put("batch_size", batchSize);
    settings.put("learning_rate", learningRate);
    settings.put("optimizer", RunFiles.optimizer(optimizer));
    settings.put("seed", seed);
    return settings;
  }

  @Override
  public String toString() {
    return OneLine.of("RewardModel", (data == null ? "no data" : data) + ", learning rate " + learningRate);
  }
}
