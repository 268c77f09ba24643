package dev.fettle.internal.compare;

import dev.fettle.InvalidInputException;
import dev.fettle.Lora;
import dev.fettle.NumericException;
import dev.fettle.Progress;
import dev.fettle.Training;
import dev.fettle.internal.Interruption;
import dev.fettle.internal.Linux;
import dev.fettle.internal.NoNulls;
import dev.fettle.internal.checkpoint.AtomicFiles;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Makes the runs of a plan that are not made yet, one after the other. */
public final class Runner {
  private static final double[] NONE = {};

  private final Plan plan;
  private final ResultsFile results;
  private final List<RunResult> all = new ArrayList<>();
  private final RunProgress agenda;

  private Runner(Plan plan) {
    this.plan = plan;
    this.results = ResultsFile.open(plan.directory(), plan.settings());
    this.agenda = new RunProgress(plan, results);
  }

  /** All outcomes, the base model's first. */
  public static List<RunResult> run(Plan plan) {
    plan.methods().forEach(method -> tryOut(plan, method));
    Runner runner = new Runner(plan);
    AtomicFiles.rehearse(runner.artefact());
    Interruption open = Interruption.saying(runner.results::kept);
    try {
      runner.all();
      return runner.all;
    } finally {
      open.close();
    }
  }

  private void all() {
    all.add(results.base().orElseGet(this::base));
    for (Method method : plan.methods()) {
      double best = Sweep.best(method, rate -> run("sweep", method, rate, plan.seed()).validation());
      for (int i = 1; i <= plan.seeds(); i++) {
        run("seed", method, best, plan.seed() + i);
      }
    }
  }

  /** Where a run's result is saved to see how large it is. */
  private Path artefact() {
    return plan.directory().resolve("artefact");
  }

  /** What cannot be trained so is found before any step. */
  private static void tryOut(Plan plan, Method method) {
    try (Training training = plan.model().tune(method.tuning())) {
      if (training.trainable().trained() == 0) {
        throw new InvalidInputException("it trains nothing");
      }
    } catch (InvalidInputException e) {
      throw new InvalidInputException("method " + method.name() + ": " + e.getMessage(), e);
    }
  }

  /** The model as it is: a fresh adapter changes nothing. */
  private RunResult base() {
    long start = System.nanoTime();
    try (Training untrained = plan.model().tune(Lora.rank(1))) {
      double[] items = plan.test().apply(untrained);
      double outside = outside(untrained);
      return kept(new RunResult("base", NamedMethods.BASE, "none", Double.NaN, 0, Double.NaN, items, outside, NONE, 0,
          since(start), 0, 0, 0, 0));
    }
  }

  private RunResult run(String kind, Method method, double rate, long seed) {
    RunResult outcome = results.find(kind, method, rate, seed).orElseGet(() -> fresh(kind, method, rate, seed));
    agenda.done(outcome);
    all.add(outcome);
    return outcome;
  }

  private RunResult fresh(String kind, Method method, double rate, long seed) {
    List<Double> losses = new ArrayList<>();
    long[] tokens = {0};
    long begun = System.nanoTime();
    System.gc();
    Linux.HERE.forgetPeak();
    try (Training training = plan.model().tune(method.seeded(seed));
        Progress progress = Progress.of(agenda.line(kind, method, rate, seed), plan.steps())) {
      long trained = training.trainable().trained();
      long start = System.nanoTime();
      boolean diverged = false;
      try {
        plan.loop().train(training, rate, seed, (read, loss) -> {
          losses.add(loss);
          tokens[0] += read;
          progress.step(loss, read);
        });
      } catch (NumericException e) {
        diverged = true;
      }
      double seconds = since(start);
      long peak = Linux.HERE.peakResidentBytes().orElse(-1);
      boolean sweep = kind.equals("sweep");
      double validation = sweep && !diverged ? plan.validation().applyAsDouble(training) : Double.NaN;
      double[] items = sweep || diverged ? NONE : NoNulls.given(plan.test().apply(training), "metric " + plan.metric(), training);
      double outside = sweep || diverged ? Double.NaN : outside(training);
      long saved = sweep || diverged ? 0 : Artefact.bytes(training, method.isAdapter(), artefact());
      return kept(new RunResult(kind, method.name(), method.description(), rate, seed,
          Double.isFinite(validation) ? validation : Double.NaN, items, outside,
          losses.stream().mapToDouble(v -> v).toArray(), seconds, since(begun), tokens[0], trained, peak, saved));
    }
  }

  private RunResult kept(RunResult outcome) {
    results.add(outcome);
    return outcome;
  }

  private double outside(Training training) {
    return plan.outside().map(loss -> loss.applyAsDouble(training)).orElse(Double.NaN);
  }

  private static double since(long start) {
    return (System.nanoTime() - start) / 1e9;
  }
}
