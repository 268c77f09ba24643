package dev.fettle.recipes;

import dev.fettle.Completion;
import dev.fettle.Conversation;
import dev.fettle.CustomLoss;
import dev.fettle.Dataset;
import dev.fettle.Example;
import dev.fettle.Feedback;
import dev.fettle.InvalidInputException;
import dev.fettle.Message;
import dev.fettle.Preference;
import dev.fettle.Training;
import dev.fettle.internal.NoNulls;
import dev.fettle.internal.OneLine;
import dev.fettle.recipes.Lessons.Lesson;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * Learning from answers each of which was found good or bad by itself (KTO, Ethayarajh et al. 2024): a good one is made
 * likelier, a bad one less likely, by comparison with the model as it was at the start, and the further the model already
 * is from there, the less.
 *
 * <pre>{@code
 * Run run = Kto.on(training).data(Dataset.jsonl(Path.of("thumbs.jsonl"))).epochs(2).run();
 * }</pre>
 *
 * <p>Data are {@link Feedback}, or pairs, whose two answers are taken apart. Where there are many more of one kind, the paper's
 * advice is to weigh the other kind so that the sums of weights are about equal ({@link #weights}). How far the model is
 * from the start is measured, as in TRL, on each prompt of the batch with the answer to another prompt, so a step reads twice as
 * many sequences as {@code batchSize} says; at least 4 of them, better 16 or more, make that a measure.
 */
public final class Kto extends PreferenceRecipe<Kto> {
  private double beta = 0.1;
  private double desirable = 1;
  private double undesirable = 1;

  private Kto(Training training) {
    super(training, "Kto", "answer");
  }

  /** Begins with what is trained. */
  public static Kto on(Training training) {
    return new Kto(Objects.requireNonNull(training, "training"));
  }

  /** What to learn from, from memory. */
  public Kto data(List<Feedback> answers) {
    return data(Dataset.of(NoNulls.in(answers, "answers")));
  }

  /**
   * How strongly a change shows in the loss: the less, the further the model may go. Default 0.1.
   *
   * @throws InvalidInputException unless it is positive
   */
  public Kto beta(double value) {
    beta = positive("beta", value);
    return this;
  }

  /**
   * The weights of answers that were good and bad. Default 1 each.
   *
   * @throws InvalidInputException unless both are positive
   */
  public Kto weights(double ofDesirable, double ofUndesirable) {
    desirable = positive("weight of desirable answers", ofDesirable);
    undesirable = positive("weight of undesirable answers", ofUndesirable);
    return this;
  }

  /**
   * The mean over answers of {@code w (1 - sigmoid(beta (d - z)))} for good ones and {@code w (1 - sigmoid(beta (z - d)))} for
   * bad ones, of data in which an answer and an answer that belongs to another prompt take turns. With p the sum of weighted
   * logprobs and r the same of the reference, {@code d = p - r} of the answer, and z is the mean of {@code p - r} of all the
   * others, but not less than 0, through which there is no gradient. Its metrics are {@code kl}, which is z,
   * {@code chosen_reward} and {@code rejected_reward}, the means of {@code beta d} of good and bad answers where there are
   * any, and {@code margin}, their difference.
   *
   * @param desirable whether each answer was good
   * @param reference r of each of the data, twice as many
   * @param ofDesirable the weight of good answers
   * @param ofUndesirable the weight of bad answers
   */
  public static CustomLoss loss(double beta, List<Boolean> desirable, List<Double> reference, double ofDesirable,
      double ofUndesirable) {
    List<Boolean> good = List.copyOf(NoNulls.in(desirable, "desirable"));
    List<Double> before = List.copyOf(NoNulls.in(reference, "reference"));
    return (data, logprobs) -> {
      NoNulls.in(logprobs, "logprobs");
      int n = NoNulls.in(data, "data").size() / 2;
      double distance = 0;
      for (int i = 1; i < 2 * n; i += 2) {
        distance += (Answers.sum(data.get(i), logprobs.get(i)) - before.get(i)) / n;
      }
      distance = Math.max(0, distance);
      double loss = 0;
      double[] rewards = new double[2];
      int[] counts = new int[2];
      List<float[]> gradient = new ArrayList<>();
      for (int i = 0; i < n; i++) {
        int kind = good.get(i) ? 0 : 1;
        double weight = (kind == 0 ? ofDesirable : ofUndesirable) / n;
        double sign = kind == 0 ? 1 : -1;
        double reward = beta * (Answers.sum(data.get(2 * i), logprobs.get(2 * i)) - before.get(2 * i));
        double value = Answers.sigmoid(sign * (reward - beta * distance));
        loss += weight * (1 - value);
        gradient.add(Answers.scaled(data.get(2 * i), -sign * weight * beta * value * (1 - value)));
        gradient.add(new float[data.get(2 * i + 1).length()]);
        rewards[kind] += reward;
        counts[kind]++;
      }
      return new CustomLoss.Value(loss, gradient, metrics(distance, rewards, counts));
    };
  }

  private static Map<String, Double> metrics(double distance, double[] rewards, int[] counts) {
    Map<String, Double> metrics = new LinkedHashMap<>(Map.of("kl", distance));
    if (counts[0] > 0) {
      metrics.put("chosen_reward", rewards[0] / counts[0]);
    }
    if (counts[1] > 0) {
      metrics.put("rejected_reward", rewards[1] / counts[1]);
    }
    if (counts[0] > 0 && counts[1] > 0) {
      metrics.put("margin", rewards[0] / counts[0] - rewards[1] / counts[1]);
    }
    return metrics;
  }

  @Override
  void read(Example example, Lessons into) {
    if (example instanceof Preference pair) {
      Feedback.of(pair).forEach(answer -> read(answer, into));
    } else if (example instanceof Feedback feedback) {
      into.add(List.of(feedback.answer()), feedback.desirable());
    } else {
      throw into.unfit(example, "answers that were good or bad, rows with prompt, completion and label; of other names say "
          + "fields(\"label=...\")");
    }
  }

  /** Puts beside each answer its prompt with the answer to another one. */
  @Override
  List<Lesson> complete(Lessons lessons) {
    List<Lesson> all = lessons.all();
    if (all.size() < 2) {
      throw new InvalidInputException("Kto of one answer: it needs at least 2, to compare each with another");
    }
    List<Object> asked = all.stream().map(lesson -> asks(lesson.answers().get(0))).toList();
    Lesson[] completed = new Lesson[all.size()];
    int other = 0;
    for (int i = 2 * all.size() - 1; i >= 0; i--) {
      // The next lesson of another prompt, found from behind; round once, as the last one's may be the first.
      int at = i % all.size();
      int next = (at + 1) % all.size();
      other = asked.get(next).equals(asked.get(at)) ? other : next;
      completed[at] = i < all.size() ? beside(all.get(at), all.get(other), lessons) : all.get(at);
    }
    return List.of(completed);
  }

  private static Lesson beside(Lesson lesson, Lesson other, Lessons lessons) {
    Example mixed = with(lesson.answers().get(0), other.answers().get(0));
    return new Lesson(lesson.origin(), lesson.answers(), lesson.desirable(), List.of(lesson.data().get(0),
        lessons.cut(mixed, lesson.origin() + " with the answer of " + other.origin())));
  }

  /** What comes before the answer. */
  private static Object asks(Example example) {
    return example instanceof Completion completion ? completion.prompt() : before((Conversation) example);
  }

  private static List<Message> before(Conversation chat) {
    return chat.messages().stream().takeWhile(m -> !m.trained()).toList();
  }

  private static Example with(Example prompt, Example answer) {
    if (prompt instanceof Completion asked && answer instanceof Completion given) {
      return new Completion(asked.prompt(), given.completion());
    }
    if (prompt instanceof Conversation asked && answer instanceof Conversation given) {
      List<Message> messages = new ArrayList<>(before(asked));
      given.messages().stream().dropWhile(m -> !m.trained()).forEach(messages::add);
      return new Conversation(messages, asked.tools());
    }
    return prompt;
  }

  @Override
  boolean comparesWithStart() {
    return true;
  }

  @Override
  CustomLoss loss(List<Lesson> batch, List<Double> reference) {
    return loss(beta, batch.stream().map(Lesson::desirable).toList(), reference, desirable, undesirable);
  }

  @Override
  List<String> metrics() {
    return List.of("kl", "margin", "chosen_reward", "rejected_reward");
  }

  @Override
  Map<String, Object> settings() {
    Map<String, Object> settings = new LinkedHashMap<>();
    settings.put("beta", beta);
    settings.put("desirable_weight", desirable);
    settings.put("undesirable_weight", undesirable);
    return settings;
  }

  @Override
  public String toString() {
    return OneLine.of("Kto", source() + ", beta " + beta + ", learning rate " + learningRate);
  }
}
