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
import dev.fettle.internal.network.Weight;
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
    if (!tuned.full().isEmpty()) {
      LOG.warn("{}: {} modules are trained in full and saved as PEFT's modules_to_save. PEFT loads them; servers such as "
          + "vLLM do not: for those save the whole model with saveMerged", directory, tuned.full().byModule().size());
    }
    AtomicFiles.writeDirectory(directory, into -> {
      write(into, tuned, model.name());
      if (!model.config().isCausalLm()) {
        model.encoder().settings().write(into);
        MergedFiles.copyCompanions(model.files(), into);
      }
    });
  }

  /** Writes the two files of an adapter. */
  static void write(Path into, TrainableModel tuned, String baseModel) throws IOException {
    AdapterConfig s = tuned.adapters().settings();
    AdapterConfig written = tuned.adapters().start() == null ? s : s.doubled();
    List<String> whole = new ArrayList<>(tuned.full().byModule().keySet());
    if (tied(tuned)) {
      whole.add(OuterWeight.HEAD_MODULE);
    }
    var extras = new AdapterConfig.Extras(s.extras().dora(), s.extras().bias(), whole, s.extras().tokens());
    AdapterConfig named = written.with(baseModel, extras);
    Files.writeString(into.resolve(AdapterConfig.FILE_NAME),
        tuned.layout().config().isCausalLm() ? named.toJson() : named.toEncoderJson());
    SafetensorsWriter writer = new SafetensorsWriter();
    Map<String, Saved> saved = new LinkedHashMap<>();
    for (Parameter p : tuned.parameters().parameters()) {
      saved.put(PREFIX + p.name(), saved(tuned, p));
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

  private record Saved(long[] shape, Values values) {}

  @FunctionalInterface
  private interface Values {
    Tensor of(Scope scope);
  }

  /** A parameter; with a start that is taken off again, the two halves of the plain adapter of twice the rank. */
  private static Saved saved(TrainableModel tuned, Parameter p) {
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
    AdapterConfig settings = AdapterConfig.in(files);
    FullTargets full = SavedModules.of(settings, lora, model, directory);
    AdapterShape shape = LoraTargets.shape(settings, model.config(), false);
    if (shape.isEmpty()) {
      throw new InvalidInputException(directory + ": target_modules fit no linear layer and no embedding of " + model.name());
    }
    if (settings.extras().dora() || settings.extras().bias()) {
      if (shape.embedding().isAdapted() || shape.head().isAdapted()) {
        throw new UnsupportedModelException(directory + ": use_dora and lora_bias are supported on linear layers of the "
            + "decoder, not on embeddings");
      }
    }
    SafetensorsFile stored = SafetensorsFile.open(files.file(WEIGHTS));
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
    BaseWeightOverrides brought = new BaseWeightOverrides();
    try {
      Layout layout = model.layout();
      below(brought, model, layout.embedding(), layout.embeddingModule(), stored);
      below(brought, model, layout.head() == null ? layout.embedding() : layout.head(), OuterWeight.HEAD_MODULE, stored);
      tokens(brought, model, adapters.settings().extras().tokens(), stored);
      return TrainableModels.build(tuning, model, adapters, full, brought);
    } catch (RuntimeException | Error e) {
      brought.close();
      throw e;
    }
  }

  /** The copy of the weight below an adapter of an embedding takes that weight's place, if it differs. */
  private static void below(BaseWeightOverrides brought, LocalModel model, Layout.Block block, String module, SafetensorsFile stored) {
    String name = module + AdapterNames.BASE;
    StoredTensor tensor = stored.tensors().get(PREFIX + name);
    if (tensor == null) {
      return;
    }
    ParameterFiles.require(stored, tensor, block.shape());
    Scope scope = brought.scope();
    NumberType type = NumberType.of(model.dtype());
    Tensor copy = scope.zeros(type, block.shape());
    WeightFiles.read(stored::bytes, tensor, copy, 0);
    if (scope.kernels().differences(copy, model.weights().weight(block).dense(scope)) > 0) {
      LOG.warn("{}: {} differs from the base model's weight, which it replaces as in PEFT", stored.path(), name);
      brought.replace(block, new Weight.Dense(copy, type));
      brought.keep(name, block.shape(), copy);
    } else {
      scope.free(copy);
    }
  }

  private static void tokens(BaseWeightOverrides brought, LocalModel model, List<Integer> tokens, SafetensorsFile stored) {
    if (tokens.isEmpty()) {
      return;
    }
    Layout.Block block = model.layout().embedding();
    long[] shape = {tokens.size(), model.config().hiddenSize()};
    StoredTensor tensor = ParameterFiles.find(stored, PREFIX + model.layout().embeddingModule() + AdapterNames.TOKENS);
    ParameterFiles.require(stored, tensor, shape);
    BatchCheck.tokens(stored.path() + ": trainable_token_indices", tokens.stream().mapToInt(i -> i).toArray(), model.config());
    Scope scope = brought.scope();
    Tensor rows = scope.zeros(NumberType.F32, shape);
    WeightFiles.read(stored::bytes, tensor, rows, 0);
    Weight below = brought.block(block) == null ? model.weights().weight(block) : brought.block(block);
    Tensor table = scope.kernels().clone(below.dense(scope));
    scope.kernels().replaceRows(table, scope.longs(tokens.stream().mapToInt(i -> i).toArray()), rows);
    brought.replace(block, new Weight.Dense(table, NumberType.of(model.dtype())));
    brought.keep(model.layout().embeddingModule() + AdapterNames.TOKENS, shape, rows);
  }
}
