package dev.fettle.internal.checkpoint;

import dev.fettle.InvalidInputException;
import dev.fettle.UnsupportedModelException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * A model in Hugging Face layout: config.json, model.safetensors or shards with an index, and maybe
 * generation_config.json. Opening reads and validates settings and headers; weights stay memory-mapped. Thread-safe;
 * whoever opens it closes it.
 */
public final class ModelDirectory implements AutoCloseable {
  private static final String CONFIG = "config.json";
  static final String SINGLE = "model.safetensors";

  private final OpenDirectory files;
  private final JsonFields config;
  private final GenerationConfig generation;
  private final Map<Path, SafetensorsFile> shards;
  private final Map<String, StoredTensor> tensors;

  private ModelDirectory(
      OpenDirectory files,
      JsonFields config,
      GenerationConfig generation,
      Map<Path, SafetensorsFile> shards,
      Map<String, StoredTensor> tensors) {
    this.files = files;
    this.config = config;
    this.generation = generation;
    this.shards = shards;
    this.tensors = Collections.unmodifiableMap(tensors);
  }

  /**
   * Opens the directory. What config.json says is not looked at, nor whether the weights are those that it asks for.
   *
   * @throws InvalidInputException if it or a file of it is missing or wrong
   * @throws UnsupportedModelException if the settings ask for what is not supported
   */
  public static ModelDirectory open(Path path) {
    OpenDirectory files = files(path);
    try {
      return of(files);
    } catch (Throwable e) {
      files.close();
      throw e;
    }
  }

  /** Opens the files of a model's directory; where a list of modules names a folder for the encoder, that folder's too. */
  public static OpenDirectory files(Path path) {
    Objects.requireNonNull(path, "path");
    OpenDirectory files = OpenDirectory.open(path, CONFIG);
    try {
      String folder = EncoderModules.folder(files);
      if (!folder.isEmpty()) {
        files.over(OpenDirectory.open(path.resolve(folder), Contents.Kind.MODEL));
      }
      Contents.require(files, Contents.Kind.MODEL);
      return files;
    } catch (RuntimeException e) {
      files.close();
      throw e;
    }
  }

  /** The model that open files hold; they are closed with it. */
  public static ModelDirectory of(OpenDirectory files) {
    JsonFields config = JsonFields.of(files.file(CONFIG));
    GenerationConfig generation = GenerationConfig.in(files);
    Map<Path, SafetensorsFile> shards = new LinkedHashMap<>();
    return new ModelDirectory(files, config, generation, shards, openWeights(files, shards));
  }

  private static Map<String, StoredTensor> openWeights(OpenDirectory files, Map<Path, SafetensorsFile> shards) {
    if (files.find(SINGLE).isPresent()) {
      return new LinkedHashMap<>(openFile(files.file(SINGLE), shards).tensors());
    }
    Path index = files.path().resolve(ShardIndex.NAME);
    Map<String, String> weightMap =
        ShardIndex.read(JsonFields.of(files.find(ShardIndex.NAME).orElseThrow(() -> noWeights(files))));
    for (String shard : new LinkedHashSet<>(weightMap.values())) {
      openFile(files.find(shard).orElseThrow(() -> new InvalidInputException(
          index + ": names " + shard + ", which is not in " + files.path())), shards);
    }
    Map<String, StoredTensor> tensors = new LinkedHashMap<>();
    for (SafetensorsFile file : shards.values()) {
      for (StoredTensor tensor : file.tensors().values()) {
        String listed = weightMap.get(tensor.name());
        if (!file.path().getFileName().toString().equals(listed)) {
          throw new InvalidInputException(
              file.path() + ": holds tensor " + Quote.line(tensor.name()) + ", for which " + ShardIndex.NAME
                  + (listed == null ? " has no entry" : " names " + listed));
        }
        tensors.put(tensor.name(), tensor);
      }
    }
    weightMap.forEach(
        (name, shard) -> {
          if (!tensors.containsKey(name)) {
            throw new InvalidInputException(files.path().resolve(shard) + ": tensor " + Quote.line(name)
                + " is not in it, though " + index + " says so");
          }
        });
    return tensors;
  }

  private static SafetensorsFile openFile(OpenFile file, Map<Path, SafetensorsFile> shards) {
    SafetensorsFile opened = SafetensorsFile.open(file);
    shards.put(file.path(), opened);
    return opened;
  }

  private static RuntimeException noWeights(OpenDirectory files) {
    String looked = files.path() + ": no weights: neither " + SINGLE + " nor " + ShardIndex.NAME;
    for (String old : List.of("pytorch_model.bin", "pytorch_model.bin.index.json")) {
      if (files.lists(old)) {
        return new UnsupportedModelException(
            looked + "; there is " + old + ", but only safetensors are read: convert it first");
      }
    }
    return new InvalidInputException(looked);
  }

  /** The directory. */
  public Path path() {
    return files.path();
  }

  /** The first of its files with weights that was written over after it was opened. */
  public Optional<Path> changed() {
    return shards.keySet().stream().filter(shard -> files.file(shard.getFileName().toString()).isChanged()).findFirst();
  }

  /** The settings of config.json. */
  public JsonFields config() {
    return config;
  }

  /** The recommendations of generation_config.json; {@link GenerationConfig#NONE} if there is none. */
  public GenerationConfig generation() {
    return generation;
  }

  /** All tensors by name, shard by shard in the order in which they lie in the files. */
  public Map<String, StoredTensor> tensors() {
    return tensors;
  }

  /** Maps a piece of a tensor of {@link #tensors()}, see {@link SafetensorsFile#bytes}. */
  public ByteBuffer bytes(StoredTensor tensor, long from, int length) {
    Objects.requireNonNull(tensor, "tensor");
    SafetensorsFile file = shards.get(tensor.file());
    if (file == null) {
      throw new InvalidInputException(path() + ": tensor " + tensor.name() + " is not of this directory");
    }
    return file.bytes(tensor, from, length);
  }

  @Override
  public void close() {
    files.close();
  }

  @Override
  public String toString() {
    return "ModelDirectory[" + path().getFileName() + ", " + tensors.size() + " tensors]";
  }
}
