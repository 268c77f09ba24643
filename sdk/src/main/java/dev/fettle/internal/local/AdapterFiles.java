package dev.fettle.internal.local;

import dev.fettle.InvalidInputException;
import dev.fettle.Lora;
import dev.fettle.UnsupportedModelException;
import dev.fettle.internal.checkpoint.AdapterConfig;
import dev.fettle.internal.checkpoint.AtomicFiles;
import dev.fettle.internal.checkpoint.SafetensorsFile;
import dev.fettle.internal.checkpoint.SafetensorsWriter;
import dev.fettle.internal.checkpoint.StoredTensor;
import dev.fettle.internal.checkpoint.StoredType;
import dev.fettle.internal.model.AdapterShape;
import dev.fettle.internal.torch.NumberType;
import dev.fettle.internal.torch.Scope;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;

/** Adapters in PEFT's directory layout. */
final class AdapterFiles {
  static final String WEIGHTS = "adapter_model.safetensors";
  private static final String PREFIX = "base_model.model.";

  private AdapterFiles() {}

  /** Saves an adapter as a directory of its own; that of an encoder with what sentence-transformers looks for. */
  static void save(Path directory, LoraWeights lora, LocalModel model) {
    AtomicFiles.writeDirectory(directory, into -> {
      write(into, lora, model.name());
      if (model.config().encoder()) {
        model.encoder().settings().write(into);
        MergedFiles.copyCompanions(model.directory(), into);
      }
    });
  }

  /** Writes the two files of an adapter. */
  static void write(Path into, LoraWeights lora, String baseModel) throws IOException {
    AdapterConfig s = lora.settings();
    AdapterConfig named = new AdapterConfig(s.rank(), s.alpha(), s.dropout(), s.rsLora(), s.targets(), s.rankPattern(),
        s.alphaPattern(), baseModel);
    boolean encoder = lora.weights().layout().config().encoder();
    Files.writeString(into.resolve(AdapterConfig.FILE_NAME), encoder ? named.toEncoderJson() : named.toJson());
    SafetensorsWriter writer = new SafetensorsWriter();
    Map<String, ParameterVector.Parameter> byKey = new HashMap<>();
    for (var p : lora.parameters().parameters()) {
      writer.add(PREFIX + p.name(), StoredType.F32, p.shape());
      byKey.put(PREFIX + p.name(), p);
    }
    writer.write(into.resolve(WEIGHTS), (tensor, sink) -> {
      var p = byKey.get(tensor.name());
      WeightFiles.write(lora.parameters().values(), p.offset(), p.size(), NumberType.F32, sink::put);
    });
  }

  /** Reads an adapter for a model. */
  static LoraWeights load(Lora lora, LocalModel model) {
    Path directory = lora.source().orElseThrow();
    AtomicFiles.recover(directory);
    if (!Files.isDirectory(directory)) {
      throw new InvalidInputException(directory + ": no such adapter directory");
    }
    AdapterConfig settings = AdapterConfig.parse(directory.resolve(AdapterConfig.FILE_NAME));
    Path file = directory.resolve(WEIGHTS);
    if (!Files.exists(file) && Files.exists(directory.resolve("adapter_model.bin"))) {
      throw new UnsupportedModelException(directory + ": has adapter_model.bin only; save the adapter as safetensors");
    }
    AdapterShape shape = LoraTargets.shape(settings, model.config());
    if (shape.lowestLayer() == shape.layers()) {
      throw new InvalidInputException(directory + ": target_modules fit no linear layer of " + model.name());
    }
    LoraTargets.requireMemory(shape, model);
    try (SafetensorsFile stored = SafetensorsFile.open(file)) {
      LoraWeights weights = new LoraWeights(lora, settings, shape, model.weights(), NumberType.of(model.dtype()));
      try {
        fill(stored, weights, directory);
        return weights;
      } catch (RuntimeException | Error e) {
        weights.close();
        throw e;
      }
    }
  }

  /** Reads the values of an adapter of the same shape; nothing is changed if they do not fit. */
  static void fill(SafetensorsFile stored, LoraWeights lora, Path directory) {
    Set<String> extra = new java.util.TreeSet<>(stored.tensors().keySet());
    for (var p : lora.parameters().parameters()) {
      StoredTensor tensor = stored.tensors().get(PREFIX + p.name());
      if (tensor == null) {
        throw new InvalidInputException(stored.path() + ": tensor " + PREFIX + p.name() + " is missing");
      }
      if (!tensor.hasShape(p.shape())) {
        throw new InvalidInputException(stored.path() + ": tensor " + tensor.name() + " has the shape "
            + Arrays.toString(tensor.shape()) + ", model and adapter_config.json ask for " + Arrays.toString(p.shape()));
      }
      if (!tensor.type().isWeight()) {
        throw new InvalidInputException(stored.path() + ": tensor " + tensor.name() + " is " + tensor.type()
            + "; an adapter can be F32, F16 or BF16");
      }
      extra.remove(tensor.name());
    }
    if (!extra.isEmpty()) {
      throw new InvalidInputException(stored.path() + ": tensor " + extra.iterator().next() + " belongs to no module that "
          + directory.resolve(AdapterConfig.FILE_NAME) + " and the model name");
    }
    try (Scope scope = new Scope()) {
      var values = lora.parameters().values();
      var read = scope.call("zeros", new long[] {lora.parameters().size()}, NumberType.F32);
      for (var p : lora.parameters().parameters()) {
        WeightFiles.read(stored::bytes, stored.tensors().get(PREFIX + p.name()), read, p.offset());
      }
      if (!Double.isFinite(scope.number("norm", read))) {
        throw new InvalidInputException(stored.path() + ": a value is NaN or infinite");
      }
      scope.effect("copy", values, read);
    }
    lora.refresh();
  }
}
