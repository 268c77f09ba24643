package dev.fettle.recipes;

import dev.fettle.Completion;
import dev.fettle.Conversation;
import dev.fettle.CustomLoss;
import dev.fettle.Datum;
import dev.fettle.Example;
import dev.fettle.Sampler;
import dev.fettle.internal.NoNulls;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What the losses over answers have in common: logprobs of whole answers, and gradients that give each token its part. */
final class Answers {
  private Answers() {}

  /**
   * What a loss says of a pair.
   *
   * @param byChosen its derivative by the weighted sum of the chosen answer's logprobs
   * @param further more figures, beside {@code accuracy}, {@code margin} and the rewards
   */
  record Scored(double loss, double chosenReward, double rejectedReward, double byChosen, double byRejected,
      Map<String, Double> further) {}

  /** A loss of one pair. */
  interface PairLoss {
    Scored of(int pair, Datum chosen, float[] chosenLogprobs, Datum rejected, float[] rejectedLogprobs);
  }

  /** The mean of a loss over data in which chosen and rejected answers take turns. */
  static CustomLoss pairs(PairLoss loss) {
    return (data, logprobs) -> {
      NoNulls.in(logprobs, "logprobs");
      int pairs = NoNulls.in(data, "data").size() / 2;
      double sum = 0;
      Map<String, Double> metrics = new LinkedHashMap<>();
      List<float[]> gradient = new ArrayList<>();
      for (int pair = 0; pair < pairs; pair++) {
        Datum chosen = data.get(2 * pair);
        Datum rejected = data.get(2 * pair + 1);
        Scored scored = loss.of(pair, chosen, logprobs.get(2 * pair), rejected, logprobs.get(2 * pair + 1));
        sum += scored.loss / pairs;
        gradient.add(scaled(chosen, scored.byChosen / pairs));
        gradient.add(scaled(rejected, scored.byRejected / pairs));
        Map<String, Double> own = new LinkedHashMap<>(scored.further);
        own.put("accuracy", scored.chosenReward > scored.rejectedReward ? 1.0 : 0.0);
        own.put("margin", scored.chosenReward - scored.rejectedReward);
        own.put("chosen_reward", scored.chosenReward);
        own.put("rejected_reward", scored.rejectedReward);
        own.forEach((name, value) -> metrics.merge(name, value / pairs, Double::sum));
      }
      return new CustomLoss.Value(sum, gradient, metrics);
    };
  }

  /** The logprob of an answer: the weighted sum of those of its tokens. */
  static double sum(Datum datum, float[] logprobs) {
    double sum = 0;
    for (int i = 0; i < logprobs.length; i++) {
      sum += datum.weights()[i] * (double) logprobs[i];
    }
    return sum;
  }

  /** The number of an answer's tokens, unless weights say otherwise. */
  static double length(Datum datum) {
    double sum = 0;
    for (float weight : datum.weights()) {
      sum += weight;
    }
    return sum;
  }

  /** A derivative by the logprob of an answer as one by each token's. */
  static float[] scaled(Datum datum, double factor) {
    float[] out = new float[datum.length()];
    for (int i = 0; i < out.length; i++) {
      out[i] = (float) (factor * datum.weights()[i]);
    }
    return out;
  }

  /** The logprob of an answer under a model. */
  static double logprob(Sampler model, Datum datum) {
    int[] tokens = Arrays.copyOf(datum.inputs(), datum.length() + 1);
    tokens[datum.length()] = datum.targets()[datum.length() - 1];
    return sum(datum, model.logprobs(tokens));
  }

  static double sigmoid(double x) {
    return 1 / (1 + Math.exp(-x));
  }

  /** {@code -log sigmoid(x)}, of any x. */
  static double logisticLoss(double x) {
    return Math.max(0, -x) + Math.log1p(Math.exp(-Math.abs(x)));
  }

  /** All that prompts and answers say, to be hashed. */
  static String text(List<Example> answers) {
    StringBuilder text = new StringBuilder();
    for (Example answer : answers) {
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
}
