package dev.fettle.support;

import dev.fettle.internal.checkpoint.SafetensorsWriter;
import dev.fettle.internal.checkpoint.StoredType;
import dev.fettle.internal.model.ModelConfig;
import dev.fettle.internal.model.WeightNames;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;

/** Models of any family with weights so large that each moves the result, for what needs no reference values. */
public final class RandomCheckpoint {
  private RandomCheckpoint() {}

  /** Writes a directory with the weights that a config.json asks for. */
  public static void write(Path directory, String config) throws IOException {
    Files.createDirectories(directory);
    Path file = Files.writeString(directory.resolve("config.json"), config);
    SafetensorsWriter writer = new SafetensorsWriter();
    WeightNames.expected(ModelConfig.parse(file)).forEach((name, shape) -> writer.add(name, StoredType.F32, shape));
    writer.write(directory.resolve("model.safetensors"), (tensor, sink) -> {
      Random random = new Random(tensor.name().hashCode());
      ByteBuffer bytes = ByteBuffer.allocate((int) tensor.bytes()).order(ByteOrder.LITTLE_ENDIAN);
      boolean vector = tensor.shape().length == 1;
      while (bytes.hasRemaining()) {
        bytes.putFloat((float) (random.nextGaussian() * (vector ? 0.2 : 0.3) + (vector && tensor.name().endsWith("weight") ? 1 : 0)));
      }
      sink.put(bytes.flip());
    });
  }
}
