package dev.fettle.examples;

import dev.fettle.AdamW;
import dev.fettle.BaseModel;
import dev.fettle.Batch;
import dev.fettle.Dataset;
import dev.fettle.Example;
import dev.fettle.InvalidInputException;
import dev.fettle.Loss;
import dev.fettle.Renderer;
import dev.fettle.TrainOn;
import dev.fettle.Training;
import dev.fettle.Tuning;
import dev.fettle.internal.FileErrors;
import dev.fettle.internal.compare.Pooled;
import dev.fettle.recipes.Comparison;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.json.JsonMapper;

/**
 * A comparison in parts: over folds of the data, each of which is tested by runs that the others trained, and with as many
 * steps of each method as a time allows.
 *
 * @param model is tuned
 * @param options of {@link Compare}
 * @param tunings the methods by name
 * @param directory holds a directory for each part, and within it one for each method if their steps differ
 */
record CompareParts(BaseModel model, Options options, Map<String, Tuning> tunings, Path directory) {
  private static final int CELLS = 10;
  private static final int WARM = 2;
  private static final int TIMED = 10;
  private static final JsonMapper JSON = new JsonMapper();

  /** Data to learn from and to judge by. */
  private record Part(String name, Dataset train, Dataset test, @Nullable Dataset validation) {}

  /** Sets up a comparison of data. */
  @FunctionalInterface
  interface Setup {
    Comparison of(Dataset train, Dataset test);
  }

  /** Makes what is not made yet, and puts it together. */
  Pooled run(Setup setup, Function<String, double[]> rates) {
    Map<String, Integer> steps = options.has(Option.SECONDS) ? steps() : Map.of();
    List<List<Path>> all = new ArrayList<>();
    for (Part part : parts()) {
      List<Path> own = new ArrayList<>();
      for (List<String> together : steps.isEmpty() ? List.of(List.copyOf(tunings.keySet()))
          : tunings.keySet().stream().map(List::of).toList()) {
        Path place = steps.isEmpty() ? directory.resolve(part.name) : directory.resolve(part.name).resolve(together.get(0));
        Comparison comparison = setup.of(part.train, part.test).directory(place);
        if (part.validation != null && !options.has(Option.VALIDATION)) {
          comparison.validation(part.validation);
        }
        for (String method : together) {
          comparison.method(method, tunings.get(method));
          if (rates.apply(method).length > 0) {
            comparison.learningRates(method, rates.apply(method));
          }
          if (!steps.isEmpty()) {
            int batch = options.count(Option.BATCH);
            comparison.steps(steps.get(method)).epochs(steps.get(method) * batch / size(part.train) + 1);
          }
        }
        comparison.run();
        own.add(place);
      }
      all.add(own);
    }
    boolean exact = options.text(Option.METRIC).equals("exact");
    return Pooled.of(all, exact ? "exact match" : "NLL", exact);
  }

  private List<Part> parts() {
    Dataset data = options.data(Option.TRAIN);
    if (!options.has(Option.FOLDS)) {
      return List.of(new Part("whole", data, options.data(Option.TEST), null));
    }
    int folds = options.count(Option.FOLDS);
    if (folds < 2) {
      throw new UsageException("--folds 1 would leave nothing to train on: give at least 2");
    }
    // A hash deals out, so that equal examples are in one cell; a tenth of the cells that train choose the learning rates.
    double[] shares = new double[folds * CELLS];
    Arrays.fill(shares, 1.0 / shares.length);
    List<List<Example>> cells = new ArrayList<>();
    for (Dataset cell : data.split(shares)) {
      List<Example> own = new ArrayList<>();
      cell.examples().forEach(own::add);
      cells.add(own);
    }
    List<Part> parts = new ArrayList<>();
    for (int fold = 0; fold < folds; fold++) {
      int tested = fold;
      parts.add(new Part("fold-" + (fold + 1), of(cells, cell -> cell / CELLS != tested && cell % CELLS != 0),
          of(cells, cell -> cell / CELLS == tested), of(cells, cell -> cell / CELLS != tested && cell % CELLS == 0)));
    }
    return parts;
  }

  private Dataset of(List<List<Example>> cells, IntPredicate wanted) {
    List<Example> some = new ArrayList<>();
    IntStream.range(0, cells.size()).filter(wanted).forEach(cell -> some.addAll(cells.get(cell)));
    if (some.isEmpty()) {
      throw new InvalidInputException(options.path(Option.TRAIN) + " has too few examples for " + options.count(Option.FOLDS)
          + " folds: one of them, or what chooses its learning rates, would be empty");
    }
    return options.limited(Dataset.of(some));
  }

  private static int size(Dataset data) {
    int count = 0;
    for (Example example : data.examples()) {
      count += example == null ? 0 : 1;
    }
    return count;
  }

  /** How many steps each method makes in the time, by processor seconds of some of them; kept, as it is never the same twice. */
  private Map<String, Integer> steps() {
    Path file = directory.resolve("steps.json");
    try {
      if (Files.exists(file)) {
        return JSON.readValue(Files.readString(file), new TypeReference<>() {});
      }
      Map<String, Integer> steps = new LinkedHashMap<>();
      tunings.forEach((name, tuning) -> steps.put(name, (int) Math.max(1, options.number(Option.SECONDS) / cpuSeconds(tuning))));
      Files.createDirectories(directory);
      Files.writeString(file, JSON.writeValueAsString(steps));
      return steps;
    } catch (IOException e) {
      throw FileErrors.unsaved(file, e);
    }
  }

  /** Of a step, the mean. */
  private double cpuSeconds(Tuning tuning) {
    Renderer renderer = model.renderer().trainOn(TrainOn.ALL_ASSISTANT_MESSAGES);
    double start = 0;
    int made = 0;
    try (Training training = model.tune(tuning)) {
      for (Batch batch : options.data(Option.TRAIN).epochs(WARM + TIMED).batches(options.count(Option.BATCH), renderer).quietly()) {
        if (made == WARM) {
          start = Figures.cpuSeconds();
        }
        training.step(batch, Loss.crossEntropy(), AdamW.learningRate(1e-5));
        if (++made == WARM + TIMED) {
          break;
        }
      }
    }
    return Math.max(1e-9, (Figures.cpuSeconds() - start) / (made - WARM));
  }
}
