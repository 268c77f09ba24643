package dev.fettle.internal.local;

import dev.fettle.internal.checkpoint.AtomicFiles;
import dev.fettle.internal.checkpoint.EncoderModules;
import dev.fettle.internal.checkpoint.EncoderSettings;
import dev.fettle.internal.checkpoint.ModelDirectory;
import dev.fettle.internal.checkpoint.OpenDirectory;
import dev.fettle.internal.checkpoint.OpenFile;
import dev.fettle.internal.checkpoint.Prompts;
import dev.fettle.internal.checkpoint.SafetensorsWriter;
import dev.fettle.internal.checkpoint.StoredTensor;
import dev.fettle.internal.checkpoint.StoredType;
import dev.fettle.internal.checkpoint.StrictJson;
import dev.fettle.internal.json.ObjectNode;
import dev.fettle.internal.model.Layout;
import dev.fettle.internal.model.ModelConfigJson;
import dev.fettle.internal.model.WeightNames;
import dev.fettle.internal.torch.NumberType;
import dev.fettle.internal.torch.Scope;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Whole models in Hugging Face layout, adapters folded in, written weight by weight. */
final class MergedFiles {
  private static final Logger LOG = LoggerFactory.getLogger(MergedFiles.class);
  private static final long SHARD = Long.getLong("fettle.shard", 4L << 30);
  private static final List<String> COMPANIONS = List.of("tokenizer.json", "tokenizer_config.json",
      "special_tokens_map.json", "generation_config.json", "chat_template.jinja", "chat_template.json", "processor_config.json",
      "preprocessor_config.json", "video_preprocessor_config.json", "vocab.json", "merges.txt",
      "added_tokens.json", "vocab.txt", "tokenizer.model", "spiece.model", "sentencepiece.bpe.model");

  private final LocalModel model;
  private final TrainableModel tuned;
  private final NumberType type;
  private final MergedWeights weights;

  private MergedFiles(LocalModel model, TrainableModel tuned, NumberType type) {
    this.model = model;
    this.tuned = tuned;
    this.type = type;
    this.weights = new MergedWeights(model, tuned);
  }

  static void save(Path directory, LocalModel model, TrainableModel tuned, NumberType type) {
    MergedFiles files = new MergedFiles(model, tuned, type);
    if (!model.blocks().isDense()) {
      LOG.info("{}: the adapter is folded into {}", directory, files.weights.areOriginal()
          ? "the weights of " + model.files().path() + ", which lie there as they were when the model was quantised, by their check sums"
          : "the quantised weights as numbers: what they were before is not at hand");
    }
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
    if (model.embeds()) {
      model.encoder().settings().write(into);
    }
    List<List<SavedTensor>> shards = shards(tensors(stored));
    ObjectNode index = new ObjectNode();
    index.putObject("metadata").put("total_size", shards.stream().flatMap(List::stream).mapToLong(SavedTensor::bytes).sum());
    ObjectNode map = index.putObject("weight_map");
    for (int i = 0; i < shards.size(); i++) {
      String file = shards.size() == 1 ? "model.safetensors"
          : String.format(Locale.ROOT, "model-%05d-of-%05d.safetensors", i + 1, shards.size());
      shards.get(i).forEach(t -> map.put(t.name, file));
      write(into.resolve(file), shards.get(i));
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
      if (!EncoderModules.pool(source)) {
        // A model that scores is saved with its modules as they are.
        copy(source, EncoderSettings.MODULES, into);
        copy(source, EncoderSettings.SENTENCES, into);
        copy(source, "1_LogitScore/config.json", into);
      }
    }
  }

  private static void copy(OpenDirectory source, String name, Path into) throws IOException {
    Optional<OpenFile> file = source.find(name);
    if (file.isPresent()) {
      Files.createDirectories(into.resolve(name).getParent());
      Files.write(into.resolve(name), file.get().bytes());
    }
  }

  /** A tensor of the saved model. */
  private record SavedTensor(String name, StoredType type, long[] shape, long bytes, Bytes content) {}

  @FunctionalInterface
  private interface Bytes {
    void to(WeightFiles.Sink sink) throws IOException;
  }

  /** The network's weights; of a model with more than that the rest as it is, and all under the names that its files have. */
  private List<SavedTensor> tensors(StoredType stored) {
    List<SavedTensor> all = new ArrayList<>();
    Optional<ModelDirectory> files = model.source().files();
    for (Layout.Weight w : tuned.layout().weights().values()) {
      String name = files.filter(this::hasMore).map(f -> WeightNames.stored(f, model.config(), w.name()))
          .map(StoredTensor::name).orElse(w.name());
      all.add(new SavedTensor(name, stored, w.shape(), w.size() * type.size(), sink -> {
        try (Scope scope = new Scope()) {
          WeightFiles.write(weights.value(scope, w), 0, w.size(), type, sink);
        }
      }));
    }
    files.filter(this::hasMore).ifPresent(f -> f.tensors().values().stream().filter(this::isOther).forEach(t ->
        all.add(new SavedTensor(t.name(), t.type(), t.shape(), t.bytes(), sink -> WeightFiles.copy(f::bytes, t, sink)))));
    return all;
  }

  private boolean hasMore(ModelDirectory files) {
    return files.tensors().values().stream().anyMatch(this::isOther);
  }

  private boolean isOther(StoredTensor tensor) {
    return model.config().architecture().isOther(tensor.name());
  }

  private static List<List<SavedTensor>> shards(List<SavedTensor> tensors) {
    List<List<SavedTensor>> out = new ArrayList<>();
    List<SavedTensor> current = new ArrayList<>();
    long bytes = 0;
    for (SavedTensor t : tensors) {
      if (!current.isEmpty() && bytes + t.bytes > SHARD) {
        out.add(current);
        current = new ArrayList<>();
        bytes = 0;
      }
      current.add(t);
      bytes += t.bytes;
    }
    out.add(current);
    return out;
  }

  private static void write(Path file, List<SavedTensor> tensors) {
    SafetensorsWriter writer = new SafetensorsWriter();
    Map<String, SavedTensor> byName = new HashMap<>();
    tensors.forEach(t -> {
      writer.add(t.name, t.type, t.shape);
      byName.put(t.name, t);
    });
    writer.write(file, (tensor, sink) -> byName.get(tensor.name()).content.to(sink::put));
  }
}
