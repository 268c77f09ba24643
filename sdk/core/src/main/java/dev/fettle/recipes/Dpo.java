package dev.fettle.recipes;

import dev.fettle.Batch;
import dev.fettle.Completion;
import dev.fettle.Conversation;
import dev.fettle.CustomLoss;
import dev.fettle.Dataset;
import dev.fettle.Datum;
import dev.fettle.Example;
import dev.fettle.InvalidInputException;
import dev.fettle.Loss;
import dev.fettle.Preference;
import dev.fettle.Rendered;
import dev.fettle.Sampler;
import dev.fettle.Schedule;
import dev.fettle.StepResult;
import dev.fettle.TooLong;
import dev.fettle.TrainOn;
import dev.fettle.Training;
import dev.fettle.internal.Digests;
import dev.fettle.internal.NoNulls;
import dev.fettle.internal.OneLine;
import dev.fettle.internal.Positive;
import dev.fettle.internal.data.Lengths;
import dev.fettle.internal.data.Limit;
import dev.fettle.internal.recipe.Checkpoints;
import dev.fettle.internal.recipe.Recorder;
import dev.fettle.internal.recipe.RunFiles;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/**
 * Learning from preferences (DPO, Rafailov et al. 2023): the chosen answer is made likelier than the rejected one, by
 * comparison with the model as it was at the start.
 *
 * <pre>{@code
 * Run run = Dpo.on(training).data(Dataset.jsonl(Path.of("pairs.jsonl"))).beta(0.1).learningRate(1e-5).run();
 * }</pre>
 *
 * <p>The loop in {@link #run()} uses public calls only: copy it and change it where this class does not do what you want.
 * The learning rate begins at 1e-5 unless {@link #learningRate} is called, and falls evenly to 0. A run that is resumed needs
 * the training as it was before that run. Not thread-safe, for one use.
 */
public final class Dpo extends Recipe<Dpo> {
  private @Nullable Dataset data;
  private int epochs = 1;
  private int batchSize = 8;
  private double beta = 0.1;
  private Limit limit = Limit.NONE;

  private Dpo(Training training) {
    super(training, 1e-5);
  }

  /** Begins with what is trained. */
  public static Dpo on(Training training) {
    return new Dpo(Objects.requireNonNull(training, "training"));
  }

  /** What to learn from: pairs, which {@link #run()} reads once and holds as tokens. Required. */
  public Dpo data(Dataset pairs) {
    data = Objects.requireNonNull(pairs, "pairs");
    return this;
  }

  /** The same from memory. */
  public Dpo data(List<Preference> pairs) {
    return data(Dataset.of(NoNulls.in(pairs, "pairs")));
  }

  /** How often each pair is seen, in another order each time. Default 1. */
  public Dpo epochs(int n) {
    epochs = Positive.of("epochs", n);
    return this;
  }

  /** Pairs a step. Default 8. */
  public Dpo batchSize(int pairs) {
    batchSize = Positive.of("batchSize", pairs);
    return this;
  }

  /** How strongly a preference must show before it counts as learnt: the less, the further the model may go. Default 0.1. */
  public Dpo beta(double value) {
    if (!(value > 0 && value < Double.POSITIVE_INFINITY)) {
      throw new InvalidInputException("beta " + value + ": give a positive number");
    }
    beta = value;
    return this;
  }

  /** Tokens of a prompt and an answer together, at most. Default, and upper bound, the model's context. */
  public Dpo maxLength(int tokens) {
    limit = limit.atMost(tokens);
    return this;
  }

  /**
   * What becomes of pairs that are longer: by default both answers are cut at their end, and a pair of which an answer is
   * cut off whole is left out.
   */
  public Dpo tooLong(TooLong longer) {
    limit = limit.treating(Objects.requireNonNull(longer, "longer"));
    return this;
  }

  /**
   * Trains.
   *
   * @throws InvalidInputException if there are no data, or others than pairs, a pair cannot be rendered, some are too long and
   *     rejected, or the directory is rejected as in {@link Sft#run()}
   */
  @Override
  public Run run() {
    Dataset examples = data;
    if (examples == null) {
      throw new InvalidInputException("Dpo without data: call data(...) with at least one pair");
    }
    try (Checkpoints kept = checkpoints()) {
      return run(kept, examples);
    }
  }

  private Run run(Checkpoints kept, Dataset examples) {
    List<Datum> sequences = new ArrayList<>();
    int read = 0;
    MessageDigest digest = Digests.sha256();
    Lengths lengths = new Lengths(limit.within(training.renderer().contextLength()), "pairs");
    for (Example example : examples.examples()) {
      String origin = "pair " + (++read);
      Preference pair = pair(example, origin);
      digest.update(text(pair).getBytes(StandardCharsets.UTF_8));
      lengths.hold(origin, List.of(rendered(pair.chosen(), origin), rendered(pair.rejected(), origin)))
          .forEach(answer -> sequences.add(answer.datum()));
    }
    lengths.decide("dpo");
    if (sequences.isEmpty()) {
      throw new InvalidInputException("Dpo without data: " + lengths.summary());
    }
    int pairs = sequences.size() / 2;
    String hash = HexFormat.of().formatHex(digest.digest());
    int total = (pairs + batchSize - 1) / batchSize * epochs;
    Schedule rates = Schedule.linear(learningRate, total);
    Double[] reference = new Double[sequences.size()];
    int seen = 0;
    // The reference is taken before the state of an interrupted run is loaded.
    try (Sampler start = training.sampler();
        Recorder record = recorder(kept, "dpo", settings(read, hash, lengths), total)) {
      Random random = new Random(seed);
      for (int epoch = 0; epoch < epochs; epoch++) {
        List<Integer> order = order(pairs, random);
        for (int from = 0; from < order.size(); from += batchSize) {
          if (seen++ < record.count()) {
            continue;
          }
          List<Datum> batch = new ArrayList<>();
          List<Double> before = new ArrayList<>();
          for (int pair : order.subList(from, Math.min(order.size(), from + batchSize))) {
            for (int i = 2 * pair; i < 2 * pair + 2; i++) {
              reference[i] = reference[i] == null ? logprob(start, sequences.get(i)) : reference[i];
              batch.add(sequences.get(i));
              before.add(reference[i]);
            }
          }
          double rate = rates.at(record.count());
          Loss loss = Loss.custom(loss(beta, before));
          StepResult result = training.step(Batch.of(batch), loss, optimizer.withLearningRate(rate));
          Map<String, Double> line = record.line(result, rate, Batch.of(batch));
          line.putAll(own(result.loss().metrics()));
          line.put("loss", result.loss().loss());
          record.write(line);
          if (kept.stop(record.count(), total, hash)) {
            return record.stopped(total);
          }
        }
      }
      return record.finish("all " + total + " steps done", 0, List.of());
    }
  }

  /**
   * The loss {@code -mean(log sigmoid(beta ((pc - rc) - (pr - rr))))} of data in which chosen and rejected answers take
   * turns, with p the sum of an answer's weighted logprobs and r the same of the reference. Its metrics are
   * {@code accuracy}, {@code margin}, {@code chosen_reward} and {@code rejected_reward}; a reward is {@code beta (p - r)}.
   *
   * @param reference r of each of the data
   */
  public static CustomLoss loss(double beta, List<Double> reference) {
    List<Double> before = List.copyOf(NoNulls.in(reference, "reference"));
    return (data, logprobs) -> {
      NoNulls.in(logprobs, "logprobs");
      int pairs = NoNulls.in(data, "data").size() / 2;
      double[] sums = new double[5];
      List<float[]> gradient = new ArrayList<>();
      for (int pair = 0; pair < pairs; pair++) {
        double chosen = beta * (sum(data.get(2 * pair), logprobs.get(2 * pair)) - before.get(2 * pair));
        double rejected = beta * (sum(data.get(2 * pair + 1), logprobs.get(2 * pair + 1)) - before.get(2 * pair + 1));
        double margin = chosen - rejected;
        double sign = beta / (1 + Math.exp(margin)) / pairs;
        gradient.add(scaled(data.get(2 * pair), -sign));
        gradient.add(scaled(data.get(2 * pair + 1), sign));
        double[] values = {Math.max(0, -margin) + Math.log1p(Math.exp(-Math.abs(margin))), margin > 0 ? 1 : 0, margin,
            chosen, rejected};
        for (int i = 0; i < sums.length; i++) {
          sums[i] += values[i] / pairs;
        }
      }
      return new CustomLoss.Value(sums[0], gradient, Map.of("accuracy", sums[1], "margin", sums[2], "chosen_reward", sums[3],
          "rejected_reward", sums[4]));
    };
  }

  private static Map<String, Double> own(Map<String, Double> metrics) {
    Map<String, Double> own = new LinkedHashMap<>();
    List.of("accuracy", "margin", "chosen_reward", "rejected_reward").forEach(name -> own.put(name, metrics.get(name)));
    return own;
  }

  private static double sum(Datum datum, float[] logprobs) {
    double sum = 0;
    for (int i = 0; i < logprobs.length; i++) {
      sum += datum.weights()[i] * (double) logprobs[i];
    }
    return sum;
  }

  private static float[] scaled(Datum datum, double factor) {
    float[] out = new float[datum.length()];
    for (int i = 0; i < out.length; i++) {
      out[i] = (float) (factor * datum.weights()[i]);
    }
    return out;
  }

  private static double logprob(Sampler model, Datum datum) {
    int[] tokens = java.util.Arrays.copyOf(datum.inputs(), datum.length() + 1);
    tokens[datum.length()] = datum.targets()[datum.length() - 1];
    return sum(datum, model.logprobs(tokens));
  }

  private Preference pair(Example example, String origin) {
    if (example instanceof Preference pair) {
      return pair;
    }
    throw new InvalidInputException(data + ", " + origin + " is a " + example + ": Dpo learns from pairs, rows with chosen and "
        + "rejected; of other names say fields(\"chosen=...\", \"rejected=...\")");
  }

  private Rendered rendered(Example answer, String origin) {
    List<Rendered> sequences;
    try {
      sequences = training.renderer().trainOn(TrainOn.CUSTOMIZED).render(answer);
    } catch (InvalidInputException e) {
      throw new InvalidInputException(data + ", " + origin + ": " + e.getMessage(), e);
    }
    if (sequences.size() != 1) {
      throw new InvalidInputException(data + ", " + origin + ": an answer of several messages, of which this model's chat template "
          + "makes " + sequences.size() + " sequences; end it after the assistant's first");
    }
    return sequences.get(0);
  }

  private static List<Integer> order(int pairs, Random random) {
    List<Integer> order = new ArrayList<>();
    for (int i = 0; i < pairs; i++) {
      order.add(i);
    }
    Collections.shuffle(order, random);
    return order;
  }

  /** All that a pair says. */
  private static String text(Preference pair) {
    StringBuilder text = new StringBuilder();
    for (Example answer : List.of(pair.chosen(), pair.rejected())) {
      if (answer instanceof Conversation chat) {
        chat.messages().forEach(m -> text.append(m.role()).append('\0').append(m.content()).append('\0').append(m.reasoning())
            .append('\0').append(m.toolCalls().stream().map(c -> c.name() + c.arguments()).toList()).append('\0'));
        text.append(chat.tools());
      } else if (answer instanceof Completion completion) {
        text.append(completion.prompt()).append('\0').append(completion.completion());
      }
      text.append('\1');
    }
    return text.toString();
  }

  private Map<String, Object> settings(int pairs, String hash, Lengths lengths) {
    Map<String, Object> settings = new LinkedHashMap<>();
    settings.put("pairs", pairs);
    settings.put("data_sha256", hash);
    settings.put("lengths", lengths.json());
    settings.put("epochs", epochs);
    settings.put("batch_size", batchSize);
    settings.put("beta", beta);
    settings.put("learning_rate", learningRate);
    settings.put("optimizer", RunFiles.optimizer(optimizer));
    settings.put("seed", seed);
    return settings;
  }

  @Override
  public String toString() {
    return OneLine.of("Dpo", (data == null ? "no data" : data) + ", beta " + beta + ", learning rate " + learningRate);
  }
}
