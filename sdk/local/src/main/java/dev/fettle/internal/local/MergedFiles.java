package dev.fettle.internal.local;

import dev.fettle.InvalidInputException;
import dev.fettle.internal.checkpoint.AtomicFiles;
import dev.fettle.internal.checkpoint.EncoderSettings;
import dev.fettle.internal.checkpoint.OpenDirectory;
import dev.fettle.internal.checkpoint.OpenFile;
import dev.fettle.internal.checkpoint.Prompts;
import dev.fettle.internal.checkpoint.SafetensorsWriter;
import dev.fettle.internal.checkpoint.StoredType;
import dev.fettle.internal.checkpoint.StrictJson;
import dev.fettle.internal.model.AdapterShape;
import dev.fettle.internal.model.LayerVector;
import dev.fettle.internal.model.Layout;
import dev.fettle.internal.model.ModelConfigJson;
import dev.fettle.internal.model.Product;
import dev.fettle.internal.torch.Kernels;
import dev.fettle.internal.torch.NumberType;
import dev.fettle.internal.torch.Scope;
import dev.fettle.internal.torch.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** Whole models in Hugging Face layout, adapters folded in, written weight by weight. */
final class MergedFiles {
  private static final long SHARD = Long.getLong("fettle.shard", 4L << 30);
  private static final List<String> COMPANIONS = List.of("tokenizer.json", "tokenizer_config.json",
      "special_tokens_map.json", "generation_config.json", "chat_template.jinja", "vocab.json", "merges.txt",
      "added_tokens.json", "vocab.txt", "tokenizer.model", "spiece.model", "sentencepiece.bpe.model");

  private final LocalModel model;
  private final TrainableModel tuned;
  private final NumberType type;
  private final Map<String, ParameterVector.Parameter> trained = new HashMap<>();

  private MergedFiles(LocalModel model, TrainableModel tuned, NumberType type) {
    this.model = model;
    this.tuned = tuned;
    this.type = type;
    tuned.parameters().parameters().forEach(p -> trained.put(p.name(), p));
  }

  static void save(Path directory, LocalModel model, TrainableModel tuned, NumberType type) {
    MergedFiles files = new MergedFiles(model, tuned, type);
    files.requireBiases();
    AtomicFiles.writeDirectory(directory, files::write);
  }

  private void write(Path into) throws IOException {
    OpenFile config = model.files().file("config.json");
    StoredType stored = WeightFiles.stored(type);
    String settings = config.text();
    String source = config.path().toString();
    Files.writeString(into.resolve("config.json"), model.config().isCausalLm()
        ? ModelConfigJson.edit(settings, source, stored, tuned.layout().config().tiedEmbeddings())
        : ModelConfigJson.editBare(settings, source, stored, model.config().architecture()));
    copyCompanions(model.files(), into);
    if (!model.config().isCausalLm()) {
      model.encoder().settings().write(into);
    }
    List<List<Layout.Weight>> shards = shards();
    ObjectNode index = JsonNodeFactory.instance.objectNode();
    index.putObject("metadata").put("total_size", tuned.layout().parameters() * type.size());
    ObjectNode map = index.putObject("weight_map");
    for (int i = 0; i < shards.size(); i++) {
      String file = shards.size() == 1 ? "model.safetensors"
          : String.format(java.util.Locale.ROOT, "model-%05d-of-%05d.safetensors", i + 1, shards.size());
      shards.get(i).forEach(w -> map.put(w.name(), file));
      write(into.resolve(file), shards.get(i), stored);
    }
    if (shards.size() > 1) {
      Files.writeString(into.resolve("model.safetensors.index.json"), StrictJson.write(index));
    }
  }

  /** Copies the files that a model is used with: tokenizer, chat template, recommendations. */
  static void copyCompanions(OpenDirectory source, Path into) throws IOException {
    for (String name : COMPANIONS) {
      copy(source, name, into);
    }
    // Without a list of modules it did not count, and beside the one that is saved it would.
    if (source.find(EncoderSettings.MODULES).isPresent()) {
      copy(source, Prompts.FILE, into);
    }
  }

  private static void copy(OpenDirectory source, String name, Path into) throws IOException {
    Optional<OpenFile> file = source.find(name);
    if (file.isPresent()) {
      Files.write(into.resolve(name), file.get().bytes());
    }
  }

  private List<List<Layout.Weight>> shards() {
    List<List<Layout.Weight>> out = new ArrayList<>();
    List<Layout.Weight> current = new ArrayList<>();
    long bytes = 0;
    for (Layout.Weight w : tuned.layout().weights().values()) {
      long size = w.size() * type.size();
      if (!current.isEmpty() && bytes + size > SHARD) {
        out.add(current);
        current = new ArrayList<>();
        bytes = 0;
      }
      current.add(w);
      bytes += size;
    }
    out.add(current);
    return out;
  }

  private void write(Path file, List<Layout.Weight> weights, StoredType stored) {
    SafetensorsWriter writer = new SafetensorsWriter();
    Map<String, Layout.Weight> byName = new HashMap<>();
    weights.forEach(w -> {
      writer.add(w.name(), stored, w.shape());
      byName.put(w.name(), w);
    });
    writer.write(file, (tensor, sink) -> {
      try (Scope scope = new Scope()) {
        Layout.Weight w = byName.get(tensor.name());
        WeightFiles.write(value(scope, w), 0, w.size(), type, sink::put);
      }
    });
  }

  /** A trained bias needs one in the model to be added to. */
  private void requireBiases() {
    AdapterShape shape = tuned.adapters().shape();
    for (int layer = 0; shape.kind().biases() && layer < shape.layers(); layer++) {
      for (Product product : shape.adapted(layer)) {
        if (tuned.layout().block(layer, LayerVector.biasOf(product)).isEmpty()) {
          throw new InvalidInputException("this model's layers have no biases, so the trained ones cannot be folded in: "
              + "save the adapter with saveAdapter");
        }
      }
    }
  }

  private Tensor value(Scope scope, Layout.Weight w) {
    ParameterVector.Parameter whole = trained.get(w.name());
    if (whole != null) {
      return tuned.parameters().values(scope, whole);
    }
    Kernels k = scope.kernels();
    long perRow = w.shape().length == 2 ? w.shape()[1] : 1;
    Tensor base = tuned.frozen(w.block()).dense(scope, w.offset() / perRow, w.shape()[0]);
    AdapterShape shape = tuned.adapters().shape();
    ParameterVector.Parameter a = trained.get(AdapterNames.Kind.A.name(w.module()));
    if (w.module().equals(shape.embedding().name())) {
      return !shape.embedding().isAdapted() ? base : k.mergedEmbedding(base,
          values(scope, trained.get(AdapterNames.embeddingA(shape))), values(scope, trained.get(AdapterNames.embeddingB(shape))),
          shape.embedding().scale());
    } else if (a == null) {
      return base;
    }
    double scale = w.module().equals(shape.head().name()) ? shape.head().scale() : tuned.adapters().settings().scale(w.module());
    if (!w.name().endsWith(".weight")) {
      ParameterVector.Parameter bias = trained.get(AdapterNames.Kind.BIAS.name(w.module()));
      return bias == null ? base : k.plus(base, values(scope, bias), scale);
    }
    ParameterVector.Parameter b = trained.get(AdapterNames.Kind.B.name(w.module()));
    Tensor merged = k.merged(base, values(scope, a), values(scope, b), scale);
    ParameterVector.Parameter magnitude = trained.get(AdapterNames.Kind.MAGNITUDE.name(w.module()));
    if (magnitude != null) {
      return k.mergedMagnitude(merged, values(scope, magnitude));
    }
    Tensor start = tuned.adapters().start();
    return start == null ? merged : k.merged(merged, k.viewSlice(start, a.offset(), a.shape()),
        k.viewSlice(start, b.offset(), b.shape()), -scale);
  }

  private Tensor values(Scope scope, ParameterVector.Parameter p) {
    return tuned.parameters().values(scope, p);
  }
}
