package dev.fettle.internal.local;

import dev.fettle.MemoryPlan;
import dev.fettle.UnsupportedModelException;
import dev.fettle.internal.checkpoint.AdapterConfig;
import dev.fettle.internal.checkpoint.SafetensorsFile;
import dev.fettle.internal.checkpoint.StoredTensor;
import dev.fettle.internal.model.AdapterShape;
import dev.fettle.internal.model.Layout;
import dev.fettle.internal.model.OuterWeight;
import dev.fettle.internal.model.Product;
import dev.fettle.internal.torch.Kernels;
import dev.fettle.internal.torch.Memory;
import dev.fettle.internal.torch.NumberType;
import dev.fettle.internal.torch.Scope;
import dev.fettle.internal.torch.Tensor;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What an adapter changes of the base weights, in PEFT's order: it takes the start of PiSSA and OLoRA off them when it makes the
 * adapter, then reads whatever the file holds by the name of a weight, then single embeddings.
 */
final class BaseWeightReader {
  private static final Logger LOG = LoggerFactory.getLogger(BaseWeightReader.class);
  /** What PEFT puts between a module that has an adapter and its weight. */
  private static final String BASE = ".base_layer.";
  /** What PEFT puts between an embedding of which single tokens are trained and its weight. */
  private static final String UNDER_TOKENS = ".token_adapter.base_layer.";
  /** What PEFT puts between a module that is saved whole and what it was. */
  private static final String ORIGINAL = ".original_module.";
  private static final String WEIGHT = ".weight";

  private final LocalModel model;
  private final Layout layout;
  private final AdapterParameters adapters;
  private final FullTargets full;
  private final SafetensorsFile stored;
  private final BaseWeightOverrides into = new BaseWeightOverrides();

  private BaseWeightReader(LocalModel model, AdapterParameters adapters, FullTargets full, SafetensorsFile stored) {
    this.model = model;
    this.layout = model.layout();
    this.adapters = adapters;
    this.full = full;
    this.stored = stored;
  }

  static BaseWeightOverrides read(LocalModel model, AdapterParameters adapters, FullTargets full, SafetensorsFile stored) {
    BaseWeightReader reader = new BaseWeightReader(model, adapters, full, stored);
    try {
      reader.residuals();
      // In the order of the weights, as PEFT's: of two names of one matrix the output embedding's counts.
      layoutNames(model.layout()).forEach(reader::weight);
      reader.tokens();
      return reader.into;
    } catch (RuntimeException | Error e) {
      reader.into.close();
      throw e;
    }
  }

  private static List<String> layoutNames(Layout layout) {
    List<String> names = new ArrayList<>(layout.weights().keySet());
    if (layout.config().tiedEmbeddings()) {
      names.add(OuterWeight.HEAD_MODULE + WEIGHT);
    }
    return names;
  }

  private void residuals() {
    AdapterConfig.Residual kind = adapters.settings().extras().residual();
    if (kind == AdapterConfig.Residual.NONE) {
      return;
    }
    AdapterShape shape = adapters.shape();
    LoraTargets.requireNoStart(stored.path() + ": init_lora_weights = " + kind, shape);
    if (shape.head().isAdapted() && layout.head() == null) {
      throw new UnsupportedModelException(stored.path() + ": init_lora_weights = " + kind + " with an adapter of " + shape.head().name()
          + ", which is the input embedding too, is not supported: PEFT takes the start off both");
    }
    requireRoom(shape);
    for (int layer = 0; layer < shape.layers(); layer++) {
      for (Product product : shape.adapted(layer)) {
        Layout.Block block = layout.block(layer, product).orElseThrow();
        long row = 0;
        for (AdapterShape.Member member : shape.members(layer, product)) {
          residual(kind, block, member, row);
          row += member.outputs();
        }
      }
    }
    if (shape.head().isAdapted()) {
      residual(kind, layout.head(), shape.head(), 0);
    }
  }

  private void requireRoom(AdapterShape shape) {
    long numbers = shape.head().isAdapted() ? layout.head().size() : 0;
    for (int layer = 0; layer < shape.layers(); layer++) {
      for (Product product : shape.adapted(layer)) {
        numbers += layout.block(layer, product).orElseThrow().size();
      }
    }
    MemoryPlan lasting = MemoryPlanner.plan(MemoryPlanner.PARAMETERS, numbers * NumberType.of(model.dtype()).size());
    Memory.get().require(MemoryPlanner.plus(lasting, model.memory().start(shape)), 0,
        "the weights that " + stored.path() + " takes its start off");
  }

  private void residual(AdapterConfig.Residual kind, Layout.Block block, AdapterShape.Member member, long row) {
    if (!member.isAdapted()) {
      return;
    }
    if (member.rank() > Math.min(member.outputs(), block.shape()[1])) {
      throw new UnsupportedModelException(stored.path() + ": init_lora_weights = " + kind + " of rank " + member.rank() + ", but "
          + member.name() + " has no such rank");
    }
    try (Scope step = new Scope()) {
      Kernels k = step.kernels();
      Tensor w = k.rows(into.copy(model, block), row, member.outputs());
      Tensor[] pair = kind == AdapterConfig.Residual.PISSA ? k.pissaInit(w, member.rank(), member.scale())
          : k.oloraInit(w, member.rank());
      k.copy(w, k.merged(w, pair[0], pair[1], -member.scale()));
    }
  }

  /** The weight of a name, if the file has it and it is not trained: it takes the place of the model's own, if it differs. */
  private void weight(String name) {
    if (full.biases().contains(name)) {
      return;
    }
    int dot = name.lastIndexOf('.');
    boolean head = name.equals(OuterWeight.HEAD_MODULE + WEIGHT);
    boolean trained = full.rules().containsKey(name)
        || head && layout.head() == null && !full.untied() && full.rules().containsKey(layout.embeddingModule() + WEIGHT);
    Layout.Weight place = layout.weights().get(head && layout.head() == null ? layout.embeddingModule() + WEIGHT : name);
    List<String> names = new ArrayList<>(List.of(name, name.substring(0, dot) + BASE + name.substring(dot + 1)));
    if (place.block().isOuter()) {
      names.add(name.substring(0, dot) + UNDER_TOKENS + name.substring(dot + 1));
    }
    if (layout.head() == null && place.block().equals(layout.embedding())) {
      // Of a copy of one embedding, what it was is still the other.
      names.add(name.substring(0, dot) + ORIGINAL + name.substring(dot + 1));
    }
    for (String inFile : names) {
      StoredTensor tensor = stored.tensors().get(AdapterFiles.PREFIX + inFile);
      if (tensor != null && !(trained && inFile.equals(name))) {
        into.know(inFile);
        requireRows(tensor, place);
        ParameterFiles.require(stored, tensor, place.shape());
        replace(inFile, tensor, place);
      }
    }
  }

  private void requireRows(StoredTensor tensor, Layout.Weight place) {
    long[] shape = tensor.shape();
    if (place.block().equals(layout.embedding()) || place.block().equals(layout.head())) {
      AdapterFiles.requireVocabulary(stored, tensor, shape, place.shape());
    }
  }

  private void replace(String name, StoredTensor tensor, Layout.Weight place) {
    try (Scope step = new Scope()) {
      Kernels k = step.kernels();
      Tensor read = step.zeros(NumberType.of(model.dtype()), place.shape());
      WeightFiles.read(stored::bytes, tensor, read, 0);
      var present = into.block(place.block()) == null ? model.weights().weight(place.block()) : into.block(place.block());
      if (k.differences(read, k.viewSlice(k.flat(present.dense(step)), place.offset(), place.shape())) == 0) {
        return;
      }
      LOG.warn("{}: {} differs from the base model's weight, which it replaces as in PEFT; it stays as it is when the adapter is "
          + "tuned", stored.path(), name);
      Scope lasting = into.scope();
      Tensor own = lasting.kernels().viewSlice(lasting.kernels().flat(into.copy(model, place.block())), place.offset(),
          place.shape());
      k.copy(own, read);
      into.keep(name, place.shape(), own);
    }
  }

  private void tokens() {
    AdapterConfig.Extras extras = adapters.settings().extras();
    tokens(extras.tokens(), layout.embedding(), layout.embeddingModule());
    if (layout.head() == null && !extras.tokens().isEmpty()) {
      into.know(OuterWeight.HEAD_MODULE + AdapterNames.TOKENS);
    }
    if (layout.head() != null) {
      tokens(extras.headTokens(), layout.head(), OuterWeight.HEAD_MODULE);
    } else if (!extras.headTokens().isEmpty() && !extras.headTokens().equals(extras.tokens())) {
      throw new UnsupportedModelException(stored.path() + ": trainable_token_indices: of " + OuterWeight.HEAD_MODULE + " are not those of "
          + layout.embeddingModule() + ", which is the same matrix in this model: rows that differ are not supported");
    }
  }

  private void tokens(List<Integer> ids, Layout.Block block, String module) {
    if (ids.isEmpty()) {
      return;
    }
    int[] tokens = ids.stream().mapToInt(i -> i).toArray();
    long[] shape = {tokens.length, model.config().hiddenSize()};
    String name = module + AdapterNames.TOKENS;
    StoredTensor tensor = ParameterFiles.find(stored, AdapterFiles.PREFIX + name);
    ParameterFiles.require(stored, tensor, shape);
    BatchCheck.tokens(stored.path() + ": trainable_token_indices", tokens, model.config());
    Scope lasting = into.scope();
    Tensor rows = lasting.zeros(NumberType.F32, shape);
    WeightFiles.read(stored::bytes, tensor, rows, 0);
    lasting.kernels().replaceRows(into.copy(model, block), lasting.longs(tokens), rows);
    into.keep(name, shape, rows);
  }
}
