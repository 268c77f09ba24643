package dev.fettle.internal.checkpoint;

import dev.fettle.internal.model.ModelConfig;
import dev.fettle.internal.model.WeightNames;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/** Directories of a tiny model whose weights are zero. */
public final class TinyModel {
  private TinyModel() {}

  /** The directory with the config of the given fixture and all weights it asks for. */
  public static Path write(Path directory, String fixture) throws IOException {
    Path config = Fixtures.file("config-" + fixture + ".json");
    Files.createDirectories(directory);
    Files.writeString(directory.resolve("config.json"), Files.readString(config));
    writeWeights(directory.resolve("model.safetensors"), WeightNames.expected(ModelConfig.parse(config)));
    return directory;
  }

  /** Writes zeros. */
  public static void writeWeights(Path file, Map<String, long[]> shapes) {
    writeWeights(file, shapes, StoredType.BF16);
  }

  /** Writes zeros of the type. */
  public static void writeWeights(Path file, Map<String, long[]> shapes, StoredType type) {
    SafetensorsWriter writer = new SafetensorsWriter();
    shapes.forEach((name, shape) -> writer.add(name, type, shape));
    writer.write(file, (tensor, sink) -> sink.put(ByteBuffer.allocate((int) tensor.bytes())));
  }

  /** Writes the weights of a directory as two shards with an index; returns the index. */
  public static Path shard(Path directory) throws IOException {
    Map<String, long[]> shapes = WeightNames.expected(ModelConfig.parse(directory.resolve("config.json")));
    Files.delete(directory.resolve("model.safetensors"));
    Map<String, long[]> first = new LinkedHashMap<>();
    Map<String, long[]> second = new LinkedHashMap<>();
    shapes.forEach((name, shape) -> (name.contains(".layers.") ? second : first).put(name, shape));
    writeWeights(directory.resolve("model-1.safetensors"), first);
    writeWeights(directory.resolve("model-2.safetensors"), second);
    StringBuilder map = new StringBuilder();
    for (String name : shapes.keySet()) {
      String shard = first.containsKey(name) ? "model-1.safetensors" : "model-2.safetensors";
      map.append(map.isEmpty() ? "" : ",").append('"').append(name).append("\":\"").append(shard).append('"');
    }
    return Files.writeString(
        directory.resolve("model.safetensors.index.json"), "{\"metadata\":{},\"weight_map\":{" + map + "}}");
  }
}
