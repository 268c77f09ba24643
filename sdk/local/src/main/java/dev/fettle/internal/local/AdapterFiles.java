package dev.fettle.internal.local;

import dev.fettle.InvalidInputException;
import dev.fettle.Lora;
import dev.fettle.Tuning;
import dev.fettle.UnsupportedModelException;
import dev.fettle.internal.checkpoint.AdapterConfig;
import dev.fettle.internal.checkpoint.AtomicFiles;
import dev.fettle.internal.checkpoint.Contents;
import dev.fettle.internal.checkpoint.OpenDirectory;
import dev.fettle.internal.checkpoint.SafetensorsFile;
import dev.fettle.internal.checkpoint.SafetensorsWriter;
import dev.fettle.internal.checkpoint.StoredTensor;
import dev.fettle.internal.checkpoint.StoredType;
import dev.fettle.internal.local.ParameterVector.Parameter;
import dev.fettle.internal.model.AdapterShape;
import dev.fettle.internal.model.Layout;
import dev.fettle.internal.model.OuterWeight;
import dev.fettle.internal.torch.NumberType;
import dev.fettle.internal.torch.Scope;
import dev.fettle.internal.torch.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Adapters in PEFT's directory layout. */
final class AdapterFiles {
  static final String WEIGHTS = AdapterConfig.WEIGHTS;
  static final String PREFIX = "base_model.model.";
  private static final Logger LOG = LoggerFactory.getLogger(AdapterFiles.class);

  private AdapterFiles() {}

  /** Saves an adapter as a directory of its own; that of an encoder with what sentence-transformers looks for. */
  static void save(Path directory, TrainableModel tuned, LocalModel model) {
    requireModules(directory, tuned);
    if (!tuned.full().isEmpty()) {
      LOG.warn("{}: {} modules are trained in full and saved as PEFT's modules_to_save. PEFT loads them; servers such as "
          + "vLLM do not: for those save the whole model with saveMerged", directory, tuned.full().byModule().size());
    }
    AtomicFiles.writeDirectory(directory, into -> {
      write(into, tuned, model.name());
      if (!model.blocks().isDense()) {
        Files.writeString(into.resolve(AdapterCard.NAME), AdapterCard.of(model));
      }
      if (!model.config().isCausalLm()) {
        if (model.embeds()) {
          model.encoder().settings().write(into);
        }
        MergedFiles.copyCompanions(model.files(), into);
      }
    });
  }

  /**
   * In transformers an expert is no module, which PEFT could keep a copy of; and a module that holds others, besides numbers of its
   * own, PEFT keeps a copy of with all that is within.
   */
  private static void requireModules(Path directory, TrainableModel tuned) {
    Layout layout = tuned.layout();
    for (String module : tuned.full().byModule().keySet()) {
      if (layout.config().architecture().stacked(module + ".weight").isPresent()) {
        throw new InvalidInputException(directory + ": " + module + " is trained in full, and PEFT's files of adapters have no "
            + "place for weights of experts: save the whole model with saveMerged");
      }
      for (Layout.Weight w : layout.weights().values()) {
        if (w.module().startsWith(module + ".") && tuned.full().byModule().get(w.module()) == null) {
          throw new InvalidInputException(directory + ": " + module + " is trained in full and " + w.module() + " within it is not: "
              + "PEFT's files of adapters have no place for the numbers of the one without the other. Save the whole model with "
              + "saveMerged");
        }
      }
    }
  }

  /** Writes the two files of an adapter. */
  static void write(Path into, TrainableModel tuned, String baseModel) throws IOException {
    AdapterConfig s = tuned.adapters().settings();
    AdapterConfig written = tuned.adapters().start() == null ? s : s.doubled();
    Set<String> modules = tuned.full().byModule().keySet();
    List<String> whole = new ArrayList<>(modules.stream()
        .filter(name -> modules.stream().noneMatch(other -> name.startsWith(other + "."))).toList());
    if (tied(tuned)) {
      whole.add(OuterWeight.HEAD_MODULE);
    }
    AdapterConfig named = written.with(baseModel, s.extras().saving(whole, s.extras().tied() && !tuned.untied()));
    Files.writeString(into.resolve(AdapterConfig.FILE_NAME),
        tuned.layout().config().isCausalLm() ? named.toJson() : named.toEncoderJson());
    SafetensorsWriter writer = new SafetensorsWriter();
    Map<String, Saved> saved = new LinkedHashMap<>();
    for (Parameter p : tuned.parameters().parameters()) {
      saved.put(PREFIX + tuned.nameInFiles(p), saved(tuned, p));
    }
    if (tied(tuned)) {
      saved.put(PREFIX + OuterWeight.HEAD_MODULE + ".weight", saved.get(PREFIX + tuned.layout().embeddingModule() + ".weight"));
    }
    tuned.brought().stored().forEach((name, t) -> saved.put(PREFIX + name, new Saved(t.shape(), scope -> t.tensor())));
    saved.forEach((name, t) -> writer.add(name, StoredType.F32, t.shape));
    writer.write(into.resolve(WEIGHTS), (tensor, sink) -> {
      Saved t = saved.get(tensor.name());
      try (Scope scope = new Scope()) {
        WeightFiles.write(t.values.of(scope), 0, Parameter.size(t.shape), NumberType.F32, sink::put);
      }
    });
  }

  /** Whether one weight that is trained is both embeddings: PEFT's modules_to_save are copies, so both are named. */
  private static boolean tied(TrainableModel tuned) {
    return tuned.layout().config().tiedEmbeddings() && tuned.full().trains(tuned.layout().embedding());
  }

  /** A tensor of the file. */
  record Saved(long[] shape, Values values) {}

  /** Its numbers, in a scope. */
  @FunctionalInterface
  interface Values {
    Tensor of(Scope scope);
  }

  /** A parameter; with a start that is taken off again, the two halves of the plain adapter of twice the rank. */
  static Saved saved(TrainableModel tuned, Parameter p) {
    Tensor start = tuned.adapters().start();
    if (start == null || tuned.adapters().parameter(p.name()) == null) {
      return new Saved(p.shape(), scope -> tuned.parameters().values(scope, p));
    }
    boolean a = AdapterNames.Kind.A.is(p.name());
    long[] shape = p.shape().clone();
    shape[a ? 0 : 1] *= 2;
    return new Saved(shape, scope -> {
      Tensor second = scope.zeros(NumberType.F32, p.shape());
      scope.kernels().scaled(second, scope.kernels().viewSlice(start, p.offset(), p.shape()), a ? 1 : -1);
      return scope.kernels().joined(tuned.parameters().values(scope, p), second, a ? 0 : 1);
    });
  }

  /** Reads an adapter for a model. */
  static TrainableModel load(Lora lora, LocalModel model) {
    try (OpenDirectory files = OpenDirectory.open(lora.source().orElseThrow(), Contents.Kind.ADAPTER)) {
      return load(lora, model, files);
    }
  }

  private static TrainableModel load(Lora lora, LocalModel model, OpenDirectory files) {
    Path directory = files.path();
    AdapterConfig settings = LoraTargets.resolved(AdapterConfig.in(files), model.config(), directory);
    AdapterShape shape = LoraTargets.shape(settings, model.config(), false);
    FullTargets full = SavedModules.withBiases(SavedModules.of(settings, lora, model, directory), settings, shape, model.layout(), lora);
    if (shape.isEmpty()) {
      throw new InvalidInputException(directory + ": target_modules fit no linear layer and no embedding of " + model.name());
    }
    if (settings.extras().dora() || settings.extras().bias()) {
      if (shape.embedding().isAdapted() || shape.head().isAdapted()) {
        throw new UnsupportedModelException(directory + ": use_dora and lora_bias are supported on linear layers of the "
            + "decoder, not on embeddings");
      }
    }
    SafetensorsFile stored = SafetensorsFile.open(files.file(WEIGHTS)).renamed(AdapterNames::plain);
    TrainableModel tuned = build(lora, model, new AdapterParameters(lora, settings, shape), full, stored);
    try {
      ParameterFiles.fill(stored, PREFIX, tuned, directory.resolve(AdapterConfig.FILE_NAME).toString());
      return tuned;
    } catch (RuntimeException | Error e) {
      tuned.close();
      throw e;
    }
  }

  /** What is trained, over the base weights that a file brings along. */
  static TrainableModel build(Tuning tuning, LocalModel model, AdapterParameters adapters, FullTargets full, SafetensorsFile stored) {
    BaseWeightOverrides brought = BaseWeightReader.read(model, adapters, full, stored);
    try {
      return TrainableModels.build(tuning, model, adapters, full, brought);
    } catch (RuntimeException | Error e) {
      brought.close();
      throw e;
    }
  }

  /** Names the cause where an embedding has another number of rows than the model's. */
  static void requireVocabulary(SafetensorsFile stored, StoredTensor tensor, long[] found, long[] asked) {
    if (found.length == 2 && asked.length == 2 && found[1] == asked[1] && found[0] != asked[0]) {
      throw new UnsupportedModelException(stored.path() + ": tensor " + tensor.name() + " has " + found[0] + " rows, and the model "
          + asked[0] + ": the adapter was trained after resize_token_embeddings(" + found[0] + "), without which PEFT does not load it "
          + "either. Resize and merge it in Python (model.resize_token_embeddings(" + found[0] + "); "
          + "PeftModel.from_pretrained(model, directory).merge_and_unload().save_pretrained(...)), or save the resized model and "
          + "tune that");
    }
  }
}
