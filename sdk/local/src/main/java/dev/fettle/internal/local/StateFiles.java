package dev.fettle.internal.local;

import dev.fettle.DType;
import dev.fettle.DataPosition;
import dev.fettle.InvalidInputException;
import dev.fettle.Quantisation;
import dev.fettle.internal.checkpoint.AdapterConfig;
import dev.fettle.internal.checkpoint.AtomicFiles;
import dev.fettle.internal.checkpoint.Contents;
import dev.fettle.internal.checkpoint.JsonFields;
import dev.fettle.internal.checkpoint.OpenDirectory;
import dev.fettle.internal.checkpoint.SafetensorsFile;
import dev.fettle.internal.checkpoint.SafetensorsWriter;
import dev.fettle.internal.checkpoint.StoredTensor;
import dev.fettle.internal.checkpoint.StoredType;
import dev.fettle.internal.checkpoint.StrictJson;
import dev.fettle.internal.json.ObjectNode;
import dev.fettle.internal.torch.NumberType;
import dev.fettle.internal.torch.Scope;
import dev.fettle.internal.torch.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Training states: an adapter in PEFT's layout, or where there is none the trained weights, beside {@code state.json}
 * (what is trained, counters, seeds, data position) and {@code optimizer.safetensors} (the flat vectors of moments and, if
 * one has accumulated, gradient).
 */
final class StateFiles {
  private static final String STATE = "state.json";
  private static final String OPTIMIZER = "optimizer.safetensors";
  private static final String WEIGHTS = "weights.safetensors";
  private static final int FORMAT = 2;

  /** What {@code state.json} says. */
  record State(String model, OptionalLong initialised, DType dtype, Optional<Quantisation> quantisation, SavedTuning tuning, long seed,
      LocalTraining.Counters counters, Optional<RecordedExecution> execution) {}

  private StateFiles() {}

  static void save(Path directory, LocalTraining training, Optional<DataPosition> position) {
    AtomicFiles.writeDirectory(directory, into -> {
      TrainableModel tuned = training.tuned();
      if (tuned.adapters().parameters().isEmpty()) {
        weights(into.resolve(WEIGHTS), tuned.parameters());
      } else {
        AdapterFiles.write(into, tuned, training.model().name());
      }
      optimizer(into.resolve(OPTIMIZER), training);
      Files.writeString(into.resolve(STATE), json(training, position));
    });
  }

  private static void weights(Path file, ParameterVector vector) throws IOException {
    SafetensorsWriter writer = new SafetensorsWriter();
    Map<String, ParameterVector.Parameter> byName = new LinkedHashMap<>();
    vector.parameters().forEach(p -> {
      writer.add(p.name(), StoredType.F32, p.shape());
      byName.put(p.name(), p);
    });
    writer.write(file, (tensor, sink) -> {
      var p = byName.get(tensor.name());
      WeightFiles.write(vector.values(), p.offset(), p.size(), NumberType.F32, sink::put);
    });
  }

  private static void optimizer(Path file, LocalTraining training) throws IOException {
    ParameterVector p = training.tuned().parameters();
    Map<String, List<Tensor>> vectors = new LinkedHashMap<>();
    vectors.put("first", List.of(p.firstMoment()));
    vectors.put("second", List.of(p.secondMoment()));
    if (training.counters().accumulated()) {
      vectors.put("gradient", training.tuned().gradients().pieces().stream().map(GradientVectors.Piece::values).toList());
    }
    SafetensorsWriter writer = new SafetensorsWriter();
    vectors.keySet().forEach(name -> writer.add(name, StoredType.F32, p.size()));
    writer.write(file, (tensor, sink) -> {
      for (Tensor piece : vectors.get(tensor.name())) {
        WeightFiles.write(piece, 0, piece.size(), NumberType.F32, sink::put);
      }
    });
  }

  private static String json(LocalTraining training, Optional<DataPosition> position) {
    LocalTraining.Counters c = training.counters();
    ObjectNode root = new ObjectNode();
    root.put("format", FORMAT);
    root.put("model", training.model().name());
    training.model().initialised().ifPresent(seed -> root.put("initialised", seed));
    root.put("dtype", training.model().dtype().name());
    SavedQuantisation.write(root, training.model());
    SavedTuning.write(root, training.tuned());
    root.put("seed", training.tuned().seed());
    root.put("steps", c.steps());
    root.put("passes", c.passes());
    root.put("accumulated", c.accumulated());
    training.execution().write(root);
    position.or(training::dataPosition).ifPresent(p -> root.put("data", p.toString()));
    return StrictJson.write(root);
  }

  /** Opens a state. */
  static OpenDirectory open(Path directory) {
    return OpenDirectory.open(directory, Contents.Kind.STATE);
  }

  /** Reads {@code state.json}. */
  static State read(OpenDirectory files) {
    JsonFields f = JsonFields.of(files.file(STATE));
    if (f.integer("format", 1, Integer.MAX_VALUE) != FORMAT) {
      throw f.invalid("format", "must be " + FORMAT + ": this version reads no other");
    }
    String model = f.string("model").orElseThrow(() -> f.invalid("model", "must name the base model"));
    DType dtype = f.string("dtype").filter(d -> d.equals("F32") || d.equals("BF16")).map(DType::valueOf)
        .orElseThrow(() -> f.invalid("dtype", "must be F32 or BF16"));
    SavedTuning tuning = SavedTuning.read(f, files.path(), f.whole("seed"));
    OptionalLong initialised = f.has("initialised") ? OptionalLong.of(f.whole("initialised")) : OptionalLong.empty();
    return new State(model, initialised, dtype, SavedQuantisation.read(f), tuning, f.whole("seed"),
        new LocalTraining.Counters(f.count("steps"), f.count("passes"), f.bool("accumulated", false),
        f.string("data").map(text -> f.checked("data", () -> DataPosition.parse(text)))), RecordedExecution.read(f));
  }

  /** Brings a training to a saved state of the same shape; nothing is changed if the state does not fit. */
  static void load(Path directory, LocalTraining training) {
    try (OpenDirectory files = open(directory)) {
      load(files, training);
    }
  }

  /** The same of a state that is open. */
  static void load(OpenDirectory files, LocalTraining training) {
    State state = read(files);
    TrainableModel tuned = training.tuned();
    boolean adapters = !tuned.adapters().parameters().isEmpty();
    if (state.tuning.hasAdapters() != adapters) {
      throw new InvalidInputException(files.path() + ": the state is of " + state.tuning.tuning()
          + ", this training is " + tuned.tuning());
    }
    ParameterVector p = tuned.parameters();
    SafetensorsFile optimizer = SafetensorsFile.open(files.file(OPTIMIZER));
    SafetensorsFile values = SafetensorsFile.open(files.file(adapters ? AdapterFiles.WEIGHTS : WEIGHTS));
    try (Scope scope = new Scope()) {
      Tensor first = vector(scope, optimizer, "first", p);
      Tensor second = vector(scope, optimizer, "second", p);
      Tensor gradient = state.counters.accumulated() ? vector(scope, optimizer, "gradient", p) : null;
      ParameterFiles.fill(values, adapters ? AdapterFiles.PREFIX : "", tuned, files.path().toString());
      tuned.adapters().seed(state.seed);
      scope.kernels().copy(p.firstMoment(), first);
      scope.kernels().copy(p.secondMoment(), second);
      tuned.gradients().clear();
      if (gradient != null) {
        for (GradientVectors.Piece piece : tuned.gradients().pieces()) {
          scope.kernels().copyFrom(piece.values(), gradient, piece.offset());
        }
      }
      training.restore(state.counters);
      state.execution.ifPresent(recorded -> training.resume(recorded, files.path()));
    }
  }

  /** What a state trains, made anew, with values still to be read; on the engine thread. */
  static TrainableModel tuned(OpenDirectory files, LocalModel model) {
    SavedTuning saved = read(files).tuning;
    FullTargets modules = saved.full(model);
    if (!saved.hasAdapters()) {
      return TrainableModels.build(saved.tuning(), model, LoraTargets.none(model.config()), modules, new BaseWeightOverrides());
    }
    AdapterParameters adapters = saved.adapters(model, AdapterConfig.in(files));
    SafetensorsFile stored = SafetensorsFile.open(files.file(AdapterFiles.WEIGHTS));
    FullTargets full = SavedModules.withBiases(modules, adapters.settings(), adapters.shape(), model.layout(), saved.lora());
    return AdapterFiles.build(saved.tuning(), model, adapters, full, stored);
  }

  private static Tensor vector(Scope scope, SafetensorsFile file, String name, ParameterVector p) {
    StoredTensor stored = file.tensors().get(name);
    if (stored == null || !stored.hasShape(p.size()) || stored.type() != StoredType.F32) {
      throw new InvalidInputException(file.path() + ": needs a tensor " + name + " of " + p.size()
          + " F32 values, as this training has");
    }
    Tensor out = scope.zeros(NumberType.F32, p.size());
    WeightFiles.read(file::bytes, stored, out, 0);
    return out;
  }
}
