package dev.fettle.internal.local;

import dev.fettle.InvalidInputException;
import dev.fettle.internal.checkpoint.AtomicFiles;
import dev.fettle.internal.checkpoint.SafetensorsWriter;
import dev.fettle.internal.checkpoint.StoredType;
import dev.fettle.internal.checkpoint.StrictJson;
import dev.fettle.internal.model.AdapterShape;
import dev.fettle.internal.model.Layout;
import dev.fettle.internal.model.ModelConfigJson;
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
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** Whole models in Hugging Face layout, adapters folded in, written weight by weight. */
final class MergedFiles {
  private static final long SHARD = Long.getLong("fettle.shard", 4L << 30);
  private static final List<String> COMPANIONS = List.of("tokenizer.json", "tokenizer_config.json",
      "special_tokens_map.json", "generation_config.json", "chat_template.jinja", "vocab.json", "merges.txt",
      "added_tokens.json",
      "vocab.txt", "config_sentence_transformers.json");

  private final LocalModel model;
  private final Tuned tuned;
  private final NumberType type;
  private final Map<String, Double> scales = new HashMap<>();
  private final Map<String, ParameterVector.Parameter> trained = new HashMap<>();

  private MergedFiles(LocalModel model, Tuned tuned, NumberType type) {
    this.model = model;
    this.tuned = tuned;
    this.type = type;
    tuned.parameters().parameters().forEach(p -> trained.put(p.name(), p));
    if (tuned instanceof LoraWeights lora) {
      AdapterShape shape = lora.shape();
      for (int layer = 0; layer < shape.layers(); layer++) {
        for (int group = 0; group < AdapterShape.GROUPS; group++) {
          for (int module : shape.members(group)) {
            scales.put(shape.name(layer, module), shape.scale(layer, module));
          }
        }
      }
    }
  }

  static void save(Path directory, LocalModel model, Tuned tuned, NumberType type) {
    MergedFiles files = new MergedFiles(model, tuned, type);
    Path source = model.directory();
    if (!Files.isRegularFile(source.resolve("config.json"))) {
      throw new InvalidInputException(source + ": the model's own directory is gone, its config.json is needed to save");
    }
    AtomicFiles.writeDirectory(directory, files::write);
  }

  private void write(Path into) throws IOException {
    Path source = model.directory();
    Path config = source.resolve("config.json");
    StoredType stored = WeightFiles.stored(type);
    String settings = Files.readString(config);
    Files.writeString(into.resolve("config.json"), model.config().encoder()
        ? ModelConfigJson.editEncoder(settings, config.toString(), stored)
        : ModelConfigJson.edit(settings, config.toString(), stored, model.config().tiedEmbeddings()));
    copyCompanions(source, into);
    if (model.config().encoder()) {
      model.encoder().settings().write(into);
    }
    List<List<Layout.Weight>> shards = shards();
    ObjectNode index = JsonNodeFactory.instance.objectNode();
    index.putObject("metadata").put("total_size", model.parameters() * type.size());
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
  static void copyCompanions(Path source, Path into) throws IOException {
    for (String name : COMPANIONS) {
      if (Files.isRegularFile(source.resolve(name))) {
        Files.copy(source.resolve(name), into.resolve(name));
      }
    }
  }

  private List<List<Layout.Weight>> shards() {
    List<List<Layout.Weight>> out = new ArrayList<>();
    List<Layout.Weight> current = new ArrayList<>();
    long bytes = 0;
    for (Layout.Weight w : model.weights().layout().weights().values()) {
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

  private Tensor value(Scope scope, Layout.Weight w) {
    ParameterVector vector = tuned.parameters();
    ParameterVector.Parameter whole = trained.get(w.name());
    if (whole != null) {
      return scope.call("part", vector.values(), whole.offset(), whole.shape());
    }
    Tensor base = scope.call("part", scope.call("flat", model.weights().tensor(w.block())), w.offset(), w.shape());
    ParameterVector.Parameter a = trained.get(w.module() + LoraWeights.A);
    if (a == null || !w.name().endsWith(".weight")) {
      return base;
    }
    ParameterVector.Parameter b = trained.get(w.module() + LoraWeights.B);
    return scope.call("merged", base, scope.call("part", vector.values(), a.offset(), a.shape()),
        scope.call("part", vector.values(), b.offset(), b.shape()), scales.get(w.module()));
  }
}
