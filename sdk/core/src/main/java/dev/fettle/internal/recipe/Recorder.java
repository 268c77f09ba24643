package dev.fettle.internal.recipe;

import dev.fettle.Batch;
import dev.fettle.NumericException;
import dev.fettle.Progress;
import dev.fettle.StepResult;
import dev.fettle.Training;
import dev.fettle.recipes.Run;
import dev.fettle.recipes.RunListener;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Keeps what happens in a run: in memory, on the progress line and, if there is a directory, in its files; and tells the
 * run's listeners. A recipe makes a line for each step, adds its own figures to it, and writes it.
 */
public final class Recorder implements AutoCloseable {
  /** So many batches in a row whose loss or gradient is not finite end a run. */
  private static final int MOST_SKIPPED = 3;

  private final String recipe;
  private final Training training;
  private final Optional<RunFiles> files;
  private final Progress progress;
  private final List<RunListener> listeners;
  private final List<Run.Step> steps;
  private final double before;
  private final long start = System.nanoTime();
  private long last = start;
  private int skipped;
  private int told;

  /**
   * A recorder for a run, or for the rest of one.
   *
   * @param files where it is written, if anywhere
   * @param total how many steps there will be, or 0 if that is not known
   */
  public Recorder(String recipe, Training training, Optional<RunFiles> files, long total, List<RunListener> listeners) {
    this.recipe = recipe;
    this.training = training;
    this.files = files;
    this.steps = new ArrayList<>(files.map(RunFiles::earlier).orElse(List.of()));
    this.before = steps.isEmpty() ? 0 : steps.get(steps.size() - 1).value("seconds");
    this.progress = Progress.of(recipe, Math.max(0, total - steps.size()));
    this.listeners = List.copyOf(listeners);
    try {
      begin(run(RunFiles.RUNNING, 0));
    } catch (RuntimeException | Error e) {
      close();
      throw e;
    }
  }

  private void begin(Run run) {
    for (RunListener listener : listeners) {
      listener.begin(run);
      told++;
    }
  }

  private Run run(String ending, long best) {
    return new Run(recipe, training, steps, ending, best, files.map(RunFiles::directory));
  }

  /** Each listener that was told of the beginning is told of the end, once. */
  private Run ended(Run run) {
    while (told > 0) {
      listeners.get(--told).end(run);
    }
    return run;
  }

  /** How many steps were made, those before an interruption included. */
  public int count() {
    return steps.size();
  }

  /** The steps so far. */
  public List<Run.Step> steps() {
    return steps;
  }

  /** The figures of a step. */
  public Map<String, Double> line(StepResult result, double learningRate, Batch batch) {
    skipped = 0;
    Map<String, Double> line = new LinkedHashMap<>();
    line.put("step", steps.size() + 1.0);
    line.put("loss", result.loss().meanLoss());
    line.put("loss_sum", result.loss().loss());
    line.put("weight", result.loss().weight());
    line.put("gradient_norm", result.optim().gradientNorm());
    return timed(line, learningRate, batch.tokens());
  }

  /** The figures of a step in which there was nothing to learn from. */
  public Map<String, Double> line(double learningRate, long tokens) {
    return timed(new LinkedHashMap<>(Map.of("step", steps.size() + 1.0)), learningRate, tokens);
  }

  /** The figures of a batch that was passed over; throws if there were too many in a row. */
  public Map<String, Double> skip(NumericException cause, double learningRate, Batch batch) {
    if (++skipped == MOST_SKIPPED) {
      throw new NumericException("step " + (steps.size() + 1) + " of " + recipe + ": the third batch in a row without a "
          + "finite loss or gradient. The last one: " + cause.getMessage(), cause);
    }
    Map<String, Double> line = line(learningRate, batch.tokens());
    line.put("skipped", 1.0);
    return line;
  }

  private Map<String, Double> timed(Map<String, Double> line, double learningRate, long tokens) {
    long now = System.nanoTime();
    line.put("tokens", (double) tokens);
    line.put("learning_rate", learningRate);
    line.put("seconds", before + (now - start) / 1e9);
    line.put("tokens_per_second", tokens / Math.max(1e-9, (now - last) / 1e9));
    return line;
  }

  /** Keeps a line, which ends its step. */
  public void write(Map<String, Double> line) {
    Run.Step step = new Run.Step(line);
    steps.add(step);
    files.ifPresent(f -> f.append(step, () -> run(RunFiles.RUNNING, 0)));
    listeners.forEach(listener -> listener.step(step));
    progress.step(step.value("loss"), (long) step.value("tokens"));
    last = System.nanoTime();
  }

  /** Ends the run because the process was told to end; its state is saved, and its files stay those of an unfinished run. */
  public Run stopped(long total) {
    progress.close();
    Path directory = files.map(RunFiles::directory).orElseThrow();
    String ending = "stopped after step " + steps.size() + " of " + total + ", because the process was told to end";
    System.err.println(recipe + ": " + ending + ". All is saved in " + directory + ", from where the same run goes on.");
    return ended(run(ending, 0));
  }

  /** Ends the run and writes its report. */
  public Run finish(String ending, long best, List<ReportSample> samples) {
    progress.close();
    Run run = run(ending, best);
    files.ifPresent(f -> f.finish(run, samples));
    return ended(run);
  }

  /** The directory of the run's files. */
  public Optional<Path> directory() {
    return files.map(RunFiles::directory);
  }

  @Override
  public void close() {
    progress.close();
    files.ifPresent(RunFiles::close);
    ended(run("ended by an error", 0));
  }
}
