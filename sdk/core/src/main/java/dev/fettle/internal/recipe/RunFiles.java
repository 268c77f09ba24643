package dev.fettle.internal.recipe;

import dev.fettle.AdamW;
import dev.fettle.DataPosition;
import dev.fettle.InvalidInputException;
import dev.fettle.Training;
import dev.fettle.internal.FileErrors;
import dev.fettle.internal.checkpoint.AtomicFiles;
import dev.fettle.internal.json.JsonException;
import dev.fettle.internal.json.JsonNode;
import dev.fettle.internal.json.JsonPrinter;
import dev.fettle.internal.json.JsonReader;
import dev.fettle.recipes.Run;
import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/** The files of a run: {@code run.json}, {@code metrics.jsonl}, {@code report.html}, and its checkpoints. */
public final class RunFiles implements AutoCloseable {
  private static final String METRICS = "metrics.jsonl";
  private static final String REPORT = "report.html";
  private static final String ABOUT = "run.json";
  /** The ending of a run that has not ended. */
  static final String RUNNING = "running";
  /** So long, in nanoseconds, the page stays as it is, and at least so many times as long as it takes to draw. */
  private static final long PAGE_STAYS = 10_000_000_000L;
  private static final int PAGE_SHARE = 50;

  private final Path directory;
  private final Map<String, Object> about = new LinkedHashMap<>();
  private final List<Run.Step> earlier;
  private final BufferedWriter metrics;
  private long pageDue = System.nanoTime();

  /**
   * Begins a run in a directory, or goes on with the one that was interrupted there.
   *
   * @param settings what it does; a run that goes on must have been begun with equal ones
   * @param overwrite whether to begin anew, in the place of whatever run is there
   * @throws InvalidInputException if the directory holds another run, one that has ended, or files that no run wrote in
   *     the places of its own
   */
  public RunFiles(Path directory, String recipe, Training training, Map<String, Object> settings, boolean overwrite) {
    this.directory = directory;
    about.put("recipe", recipe);
    about.put("ending", RUNNING);
    about.put("started", now());
    about.put("model", model(training));
    about.put("settings", settings);
    about.put("versions", Machine.versions());
    about.put("machine", Machine.machine());
    JsonNode before = about(directory);
    boolean replaced = overwrite && before != null;
    if (before != null && !overwrite) {
      check(before);
      about.put("started", before.path("started").asString());
    } else if (before == null) {
      requireFree();
    }
    AtomicFiles.rehearse(checkpoint(directory));
    AtomicFiles.rehearse(best(directory));
    Path lines = directory.resolve(METRICS);
    try {
      if (replaced) {
        AtomicFiles.delete(checkpoint(directory));
        AtomicFiles.delete(best(directory));
        Files.deleteIfExists(directory.resolve(REPORT));
        before = null;
      }
      this.earlier = before == null || !Files.isDirectory(checkpoint(directory)) ? List.of() : goOn(training);
      save();
      // Cut back to the checkpoint in one step: a kill here must not take the lines that the checkpoint counts on.
      AtomicFiles.writeFile(lines, channel -> channel.write(ByteBuffer.wrap(earlier.stream().map(RunFiles::line)
          .collect(Collectors.joining()).getBytes(StandardCharsets.UTF_8))));
      this.metrics = Files.newBufferedWriter(lines, StandardOpenOption.APPEND);
    } catch (IOException e) {
      throw FileErrors.unsaved(directory, e);
    }
  }

  private void requireFree() {
    for (Path own : List.of(directory.resolve(METRICS), directory.resolve(REPORT), checkpoint(directory), best(directory))) {
      if (Files.exists(own)) {
        throw new InvalidInputException(directory + ": holds " + own.getFileName() + " without a " + ABOUT + ", so it is of "
            + "no run that could go on, and would be replaced; name another directory");
      }
    }
  }

  /** Loads the state of an interrupted run, and reads the steps that led to it. */
  private List<Run.Step> goOn(Training training) throws IOException {
    training.loadState(checkpoint(directory));
    long done = training.dataPosition().map(DataPosition::batches).orElse(0L);
    return read(directory.resolve(METRICS), done);
  }

  /** Where the state is from which an interrupted run goes on. */
  public static Path checkpoint(Path directory) {
    return directory.resolve("checkpoint");
  }

  /** Where the weights are that validation found to be the best. */
  static Path best(Path directory) {
    return directory.resolve("best");
  }

  /** The settings of an optimizer beside its learning rate. */
  public static Map<String, Object> optimizer(AdamW s) {
    Map<String, Object> settings = new LinkedHashMap<>();
    settings.put("beta1", s.beta1());
    settings.put("beta2", s.beta2());
    settings.put("eps", s.eps());
    settings.put("weight_decay", s.weightDecay());
    settings.put("clip_norm", s.clipNorm());
    return settings;
  }

  Path directory() {
    return directory;
  }

  /** The steps that were made before an interruption. */
  List<Run.Step> earlier() {
    return earlier;
  }

  /** Adds a step, and now and then draws the page anew. */
  void append(Run.Step step, Supplier<Run> soFar) {
    try {
      metrics.write(line(step));
      metrics.flush();
    } catch (IOException e) {
      throw FileErrors.unsaved(directory.resolve(METRICS), e);
    }
    long now = System.nanoTime();
    if (now - pageDue >= 0) {
      page(soFar.get(), List.of());
      long end = System.nanoTime();
      pageDue = end + Math.max(PAGE_STAYS, PAGE_SHARE * (end - now));
    }
  }

  private void page(Run run, List<ReportSample> samples) {
    AtomicFiles.writeText(directory.resolve(REPORT), Report.html(run, about, samples));
  }

  private static String line(Run.Step step) {
    return JsonPrinter.line(step.metrics()) + "\n";
  }

  void finish(Run run, List<ReportSample> samples) {
    about.put("ending", run.ending());
    about.put("finished", now());
    about.put("steps", run.steps().size());
    if (run.best() > 0) {
      about.put("best_step", run.best());
    }
    page(run, samples);
    save();
  }

  @Override
  public void close() {
    try {
      metrics.close();
    } catch (IOException e) {
      throw FileErrors.unsaved(directory.resolve(METRICS), e);
    }
  }

  private void save() {
    AtomicFiles.writeFile(directory.resolve(ABOUT), channel -> channel.write(ByteBuffer.wrap(
        (JsonPrinter.indented(about) + "\n").getBytes(StandardCharsets.UTF_8))));
  }

  private void check(JsonNode before) {
    String ending = before.path("ending").asString();
    if (!ending.equals(RUNNING)) {
      throw new InvalidInputException(directory + ": holds a run that has ended (" + ending + "); name another directory, or "
          + "say that it may be overwritten");
    }
    JsonNode own = JsonReader.STANDARD.read(JsonPrinter.line(about));
    for (String part : List.of("recipe", "model", "settings")) {
      List<String> unlike = unlike(part, before.path(part), own.path(part));
      if (!unlike.isEmpty()) {
        throw new InvalidInputException(directory.resolve(ABOUT) + ": this is not the run that was interrupted there: "
            + String.join("; ", unlike) + ". Name another directory, or set it as it was");
      }
    }
  }

  /** Where two values are not equal, each with both. */
  private static List<String> unlike(String name, JsonNode before, JsonNode now) {
    if (before.equals(now)) {
      return List.of();
    }
    if (!before.isObject() || !now.isObject()) {
      return List.of(name + " was " + shown(before) + " and is " + shown(now));
    }
    Set<String> names = new LinkedHashSet<>(now.propertyNames());
    names.addAll(before.propertyNames());
    return names.stream().flatMap(each -> unlike(each, before.path(each), now.path(each)).stream()).toList();
  }

  private static String shown(JsonNode value) {
    return value.isMissingNode() ? "not set" : value.toString();
  }

  private static JsonNode about(Path directory) {
    Path file = directory.resolve(ABOUT);
    if (!Files.exists(file)) {
      return null;
    }
    try {
      return JsonReader.STANDARD.read(Files.readString(file));
    } catch (JsonException e) {
      throw new InvalidInputException(file + ": is not JSON: " + e.getMessage() + "; name another directory", e);
    } catch (IOException e) {
      throw FileErrors.unread(file, e);
    }
  }

  private static List<Run.Step> read(Path file, long count) throws IOException {
    List<Run.Step> steps = new ArrayList<>();
    List<String> lines = Files.readAllLines(file);
    for (int i = 0; i < count; i++) {
      try {
        Map<String, Double> line = new LinkedHashMap<>();
        JsonReader.STANDARD.read(lines.get(i)).properties().forEach(e -> line.put(e.getKey(), number(e.getValue())));
        steps.add(new Run.Step(line));
      } catch (JsonException | IndexOutOfBoundsException e) {
        throw new InvalidInputException(file + ":" + (i + 1) + ": the line of a step that the checkpoint knows of is "
            + "missing or broken; name another directory", e);
      }
    }
    return steps;
  }

  private static double number(JsonNode value) {
    return value.isNumber() ? value.asDouble() : Double.NaN;
  }

  private static Map<String, Object> model(Training training) {
    Map<String, Object> model = new LinkedHashMap<>();
    model.put("name", training.model().name());
    model.put("parameters", training.model().parameters());
    model.put("type", training.model().dtype().toString());
    model.put("tuning", training.tuning().toString());
    model.put("trained_parameters", training.trainable().trained());
    return model;
  }

  private static String now() {
    return Instant.now().truncatedTo(ChronoUnit.SECONDS).toString();
  }
}
