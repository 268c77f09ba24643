package dev.fettle.examples;

import dev.fettle.Destination;
import dev.fettle.InvalidInputException;
import dev.fettle.Training;
import dev.fettle.internal.FileErrors;
import dev.fettle.internal.checkpoint.AtomicFiles;
import dev.fettle.recipes.Recipe;
import dev.fettle.recipes.ReportServer;
import dev.fettle.recipes.Run;
import dev.fettle.recipes.RunListener;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/**
 * Where a program that tunes saves what it learnt, {@code --out}, and the files of its run beside it, {@code OUT-run}: checked
 * and nobody else's before anything is loaded.
 */
final class Tuned implements AutoCloseable {
  private static final String CONFIG = "config.yaml";

  private final Options options;
  private final Path run;
  private final Destination result;
  private final Destination files;
  private ReportServer page;

  private Tuned(Options options, Path run, Destination result, Destination files) {
    this.options = options;
    this.run = run;
    this.result = result;
    this.files = files;
  }

  /** Adds the options that {@link #of} and {@link #listening} read. */
  static Command takes(Command command) {
    return command.requires(Option.OUT)
        .takes(Option.RESUME, "no")
        .takes(Option.OVERWRITE, "no")
        .takes(Option.SAVE_EVERY, Option.CONFIG, Option.TENSORBOARD, Option.CSV, Option.SERVE_REPORT);
  }

  /** The places of {@code --out}; an earlier result there must be one that may be replaced. */
  static Tuned of(Options options) {
    if (options.isYes(Option.RESUME) && options.isYes(Option.OVERWRITE)) {
      throw new UsageException("--resume and --overwrite exclude each other: the one goes on, the other begins anew");
    }
    Path out = options.path(Option.OUT);
    Path whole = out.toAbsolutePath().normalize();
    if (whole.getParent() == null) {
      throw new InvalidInputException(out + ": cannot be replaced; name a directory below it");
    }
    Path run = out.resolveSibling(whole.getFileName() + "-run");
    Destination result = Destination.replacing(out);
    try {
      requireFree(options, out, run);
      return new Tuned(options, run, result, Destination.within(run));
    } catch (RuntimeException e) {
      result.close();
      throw e;
    }
  }

  private static void requireFree(Options options, Path out, Path run) {
    Optional<String> ending = ending(run);
    boolean interrupted = ending.filter("running"::equals).isPresent();
    if (options.isYes(Option.RESUME)) {
      if (ending.isEmpty()) {
        throw new InvalidInputException(run + ": holds no run to resume; leave out --resume to begin one");
      }
    } else if (!options.isYes(Option.OVERWRITE)) {
      if (interrupted) {
        throw new InvalidInputException(run + ": holds a run that was interrupted: --resume yes goes on with it, --overwrite yes "
            + "begins anew");
      }
      saved(out).ifPresent(when -> {
        throw new InvalidInputException(out + ": holds what was saved " + when + "; name another place, or give --overwrite yes");
      });
      ending.ifPresent(words -> {
        throw new InvalidInputException(run + ": holds an earlier run (" + words + "); name another place, or give --overwrite yes");
      });
    }
  }

  /** How the run in a directory ended, or that it did not; empty if there is none. */
  private static Optional<String> ending(Path run) {
    Path about = run.resolve("run.json");
    if (!Files.isRegularFile(about)) {
      return Optional.empty();
    }
    try {
      return Optional.of(new JsonMapper().readTree(Files.readString(about)).path("ending").asString(""));
    } catch (JacksonException e) {
      throw new InvalidInputException(about + ": is not JSON; name another place for --out", e);
    } catch (IOException e) {
      throw FileErrors.unread(about, e);
    }
  }

  /** When a directory got the weights that it holds. */
  private static Optional<String> saved(Path out) {
    try (Stream<Path> all = Files.isDirectory(out) ? Files.list(out) : Stream.of()) {
      List<Path> weights = all.filter(f -> f.toString().endsWith(".safetensors")).toList();
      return weights.isEmpty() ? Optional.empty() : Optional.of(LocalDateTime.ofInstant(
          Files.getLastModifiedTime(weights.get(0), LinkOption.NOFOLLOW_LINKS).toInstant(), ZoneId.systemDefault())
          .truncatedTo(ChronoUnit.SECONDS).toString().replace('T', ' '));
    } catch (IOException e) {
      throw FileErrors.unread(out, e);
    }
  }

  /** Sets what all recipes have: rate, seed, the run's files, how often its state is saved, and who is told of it. */
  <R extends Recipe<R>> R listening(R recipe, PrintStream out) {
    R set = recipe.learningRate(options.learningRate()).seed(options.seed()).directory(run).listen(config());
    if (options.has(Option.SAVE_EVERY)) {
      set.saveEvery(options.count(Option.SAVE_EVERY));
    }
    if (options.has(Option.TENSORBOARD)) {
      set.listen(RunListener.tensorBoard(options.path(Option.TENSORBOARD)));
    }
    if (options.has(Option.CSV)) {
      set.listen(RunListener.csv(options.path(Option.CSV)));
    }
    if (options.has(Option.SERVE_REPORT)) {
      page = ReportServer.at((int) options.value(Option.SERVE_REPORT));
      out.println("the run's page: " + page.uri());
      set.listen(page);
    }
    return options.isYes(Option.OVERWRITE) ? set.overwrite() : set;
  }

  /** Keeps the options beside the run's files once all has been checked. */
  private RunListener config() {
    return new RunListener() {
      @Override
      public void begin(Run begun) {
        String text = "# Options of " + options.program() + ", for --config.\n" + String.join("\n",
            ConfigFile.lines(options.texts())) + "\n";
        AtomicFiles.writeText(run.resolve(CONFIG), text);
      }

      @Override
      public void step(Run.Step step) {}
    };
  }

  /**
   * Saves what was learnt, and says how to go on if the run was stopped before its end; else deletes what only a run that goes
   * on needs.
   *
   * @return whether the run has ended
   */
  boolean save(Training training, Run done) {
    if (options.adapters()) {
      training.saveAdapter(result.path());
    } else {
      training.saveMerged(result.path());
    }
    if (done.ending().startsWith("stopped")) {
      System.err.println("What was learnt so far is in " + result.path() + ". To resume: "
          + options.lineToResume());
      return false;
    }
    for (String state : List.of("checkpoint", "best")) {
      try {
        AtomicFiles.delete(run.resolve(state));
      } catch (IOException e) {
        throw FileErrors.unsaved(run.resolve(state), e);
      }
    }
    return true;
  }

  /** Ends the line of JSON that a program prints: steps, tokens, and where the result is. */
  static void finish(Map<String, Object> json, Run run, Options options) {
    json.put("steps", run.steps().size());
    json.put("tokens", (long) run.steps().stream().mapToDouble(step -> step.value("tokens")).filter(Double::isFinite).sum());
    String saved = options.path(Option.OUT).toString();
    json.put("adapter", options.adapters() ? saved : null);
    if (!options.adapters()) {
      json.put("model", saved);
    }
  }

  @Override
  public void close() {
    if (page != null) {
      page.close();
    }
    files.close();
    result.close();
  }
}
