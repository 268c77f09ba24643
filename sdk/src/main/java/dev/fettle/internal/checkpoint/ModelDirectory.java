package dev.fettle.internal.checkpoint;

import dev.fettle.InvalidInputException;
import dev.fettle.UnsupportedModelException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * A model in Hugging Face layout: config.json, model.safetensors or shards with an index, and maybe
 * generation_config.json. Opening reads and validates settings and headers; weights stay memory-mapped. Thread-safe;
 * whoever opens it closes it.
 */
public final class ModelDirectory implements AutoCloseable {
  private static final String CONFIG = "config.json";
  private static final String GENERATION = "generation_config.json";
  private static final String SINGLE = "model.safetensors";

  private final Path path;
  private final JsonFields config;
  private final GenerationConfig generation;
  private final Map<Path, SafetensorsFile> files;
  private final Map<String, StoredTensor> tensors;

  private ModelDirectory(
      Path path,
      JsonFields config,
      GenerationConfig generation,
      Map<Path, SafetensorsFile> files,
      Map<String, StoredTensor> tensors) {
    this.path = path;
    this.config = config;
    this.generation = generation;
    this.files = files;
    this.tensors = Collections.unmodifiableMap(tensors);
  }

  /**
   * Opens the directory. What config.json says is not looked at, nor whether the weights are those that it asks for.
   *
   * @throws InvalidInputException if it or a file of it is missing or wrong
   * @throws UnsupportedModelException if the settings ask for what is not supported
   */
  public static ModelDirectory open(Path path) {
    Objects.requireNonNull(path, "path");
    Contents.require(path, Contents.Kind.MODEL);
    JsonFields config = new JsonFields(StrictJson.read(path.resolve(CONFIG)), path.resolve(CONFIG).toString());
    Path generationFile = path.resolve(GENERATION);
    GenerationConfig generation =
        Files.isRegularFile(generationFile) ? GenerationConfig.read(generationFile) : GenerationConfig.NONE;
    Map<Path, SafetensorsFile> files = new LinkedHashMap<>();
    try {
      return new ModelDirectory(path, config, generation, files, openWeights(path, files));
    } catch (Throwable e) {
      files.values().forEach(SafetensorsFile::close);
      throw e;
    }
  }

  private static Map<String, StoredTensor> openWeights(Path path, Map<Path, SafetensorsFile> files) {
    if (Files.isRegularFile(path.resolve(SINGLE))) {
      return new LinkedHashMap<>(openFile(path.resolve(SINGLE), files).tensors());
    }
    Path index = path.resolve(ShardIndex.NAME);
    if (!Files.isRegularFile(index)) {
      throw noWeights(path);
    }
    Map<String, String> weightMap = ShardIndex.read(index);
    for (String shard : new LinkedHashSet<>(weightMap.values())) {
      if (!Files.isRegularFile(path.resolve(shard))) {
        throw new InvalidInputException(index + ": names " + shard + ", which is not in " + path);
      }
      openFile(path.resolve(shard), files);
    }
    Map<String, StoredTensor> tensors = new LinkedHashMap<>();
    for (SafetensorsFile file : files.values()) {
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
            throw new InvalidInputException(
                path.resolve(shard) + ": tensor " + Quote.line(name) + " is not in it, though " + index + " says so");
          }
        });
    return tensors;
  }

  private static SafetensorsFile openFile(Path file, Map<Path, SafetensorsFile> files) {
    SafetensorsFile opened = SafetensorsFile.open(file);
    files.put(file, opened);
    return opened;
  }

  private static RuntimeException noWeights(Path path) {
    String looked = path + ": no weights: neither " + SINGLE + " nor " + ShardIndex.NAME;
    for (String old : List.of("pytorch_model.bin", "pytorch_model.bin.index.json")) {
      if (Files.exists(path.resolve(old))) {
        return new UnsupportedModelException(
            looked + "; there is " + old + ", but only safetensors are read: convert it first");
      }
    }
    return new InvalidInputException(looked);
  }

  /** The directory. */
  public Path path() {
    return path;
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
    SafetensorsFile file = files.get(tensor.file());
    if (file == null) {
      throw new InvalidInputException(path + ": tensor " + tensor.name() + " is not of this directory");
    }
    return file.bytes(tensor, from, length);
  }

  @Override
  public void close() {
    files.values().forEach(SafetensorsFile::close);
  }

  @Override
  public String toString() {
    return "ModelDirectory[" + path.getFileName() + ", " + tensors.size() + " tensors]";
  }
}
