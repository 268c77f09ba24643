package dev.fettle.recipes;

import dev.fettle.Training;
import dev.fettle.internal.NoNulls;
import java.awt.image.BufferedImage;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/**
 * What a recipe did: {@link Sft}, {@link Dpo}, {@link Grpo} and the like. The trained weights are in
 * {@link #training()}: those of the best step where there were validation data, else the last ones. Immutable.
 *
 * <p>Each step has these metrics, on every backend, in {@code metrics.jsonl} too: {@code step} from 1; {@code loss}, per
 * unit of weight, in nats; {@code loss_sum}; {@code weight}, which is the number of trained tokens unless weights say
 * otherwise; {@code tokens} read; {@code learning_rate}; {@code gradient_norm} before clipping; {@code seconds} since
 * the run began, and {@code tokens_per_second} of the step. Where validation came after a step: {@code validation_loss}.
 * {@link Sft} adds {@code sequences} and, where there were some, how many of them were {@code cut} and how many more were
 * {@code left_out}, too long or with nothing to learn. Where a batch was passed over because its loss or gradient was not
 * finite: {@code skipped}, 1, and no loss. DPO, ORPO, SimPO and reward models add {@code accuracy}, {@code margin},
 * {@code chosen_reward} and {@code rejected_reward}, ORPO {@code nll} and {@code log_odds} too; KTO the same but
 * {@code accuracy}, and {@code kl}; GRPO {@code reward}, {@code reward_deviation}, {@code answer_tokens}, {@code kl_base} where it
 * is penalised, in environments {@code turns}, and {@code cut_off}, the share of episodes that a limit ended; on-policy
 * distillation {@code reverse_kl} and {@code answer_tokens}.
 *
 * @param recipe its name, such as {@code sft}
 * @param training the training that it worked on
 * @param steps in order
 * @param ending why it ended, in words; "stopped after step ..." if the process was told to end meanwhile
 * @param best the step, from 1, whose weights the training has; 0 for the last
 * @param directory where {@code metrics.jsonl}, {@code run.json} and {@code report.html} are, if anywhere
 */
public record Run(String recipe, Training training, List<Step> steps, String ending, long best, Optional<Path> directory) {
  public Run {
    Objects.requireNonNull(recipe, "recipe");
    Objects.requireNonNull(training, "training");
    steps = List.copyOf(NoNulls.in(steps, "steps"));
    Objects.requireNonNull(ending, "ending");
    Objects.requireNonNull(directory, "directory");
  }

  /**
   * One step's metrics, in the order in which they are written.
   *
   * @param metrics by name; see {@link Run}
   */
  public record Step(Map<String, Double> metrics) {
    public Step {
      metrics = Collections.unmodifiableMap(new LinkedHashMap<>(NoNulls.in(metrics, "metrics")));
    }

    /** A metric; NaN if this step does not have it. */
    public double value(String metric) {
      return metrics.getOrDefault(Objects.requireNonNull(metric, "metric"), Double.NaN);
    }

    @Override
    public String toString() {
      return String.format(Locale.ROOT, "Step[%.0f, loss %.4f, %d metrics]", value("step"), value("loss"), metrics.size());
    }
  }

  /** A metric at every step; NaN where a step does not have it. */
  public double[] values(String metric) {
    Objects.requireNonNull(metric, "metric");
    return steps.stream().mapToDouble(s -> s.value(metric)).toArray();
  }

  /** A metric of the steps that have it, to draw. */
  public Charts.Series series(String metric) {
    Objects.requireNonNull(metric, "metric");
    List<Step> having = steps.stream().filter(s -> Double.isFinite(s.value(metric))).toList();
    return Charts.Series.of(metric, having.stream().mapToDouble(s -> s.value("step")).toArray(),
        having.stream().mapToDouble(s -> s.value(metric)).toArray());
  }

  /** The names of all metrics that some step has. */
  public Set<String> metrics() {
    Set<String> names = new LinkedHashSet<>();
    steps.forEach(s -> names.addAll(s.metrics().keySet()));
    return names;
  }

  /** The mean of a metric over the last steps that have it; NaN if none has. */
  public double last(String metric, int count) {
    double[] all = series(metric).y();
    return java.util.Arrays.stream(all).skip(Math.max(0, all.length - count)).average().orElse(Double.NaN);
  }

  /** How many steps {@link #finalLoss()} is the mean of: a tenth of all, at least 1 and at most 10. */
  public int lastSteps() {
    return Math.max(1, Math.min(10, steps.size() / 10));
  }

  /** The mean of the loss over the last steps, as many as {@link #lastSteps()} says; NaN if none has a loss. */
  public double finalLoss() {
    return last("loss", lastSteps());
  }

  /** The least validation loss; NaN without validation data. */
  public double validationLoss() {
    return java.util.Arrays.stream(series("validation_loss").y()).min().orElse(Double.NaN);
  }

  /** {@link Charts#lossCurve(Run)} on a white background. */
  public BufferedImage lossCurve() {
    return Charts.light().lossCurve(this);
  }

  /** {@link Charts#curve(Run, String)} on a white background. */
  public BufferedImage curve(String metric) {
    return Charts.light().curve(this, metric);
  }

  @Override
  public String toString() {
    double validation = validationLoss();
    return String.format(Locale.ROOT, "Run[%s, %d steps, loss %.4f over the last %d%s]", recipe, steps.size(), finalLoss(),
        lastSteps(), Double.isNaN(validation) ? "" : String.format(Locale.ROOT, ", validation %.4f", validation));
  }
}
