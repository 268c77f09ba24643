package dev.fettle.internal.local;

import dev.fettle.InvalidInputException;
import dev.fettle.internal.Meter;
import dev.fettle.internal.checkpoint.ModelDirectory;
import dev.fettle.internal.checkpoint.StoredTensor;
import dev.fettle.internal.model.Layout;
import dev.fettle.internal.model.ModelConfig;
import dev.fettle.internal.model.WeightNames;
import dev.fettle.internal.model.Weights;
import dev.fettle.internal.torch.Torch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/** Where a model's weights come from, at first and after their memory was given back. */
sealed interface WeightSource {
  void fill(Weights weights, Meter meter);

  /** Whether they could be had again as they were. */
  boolean isThere();

  /** The safetensors files of a directory, as long as these are the same. */
  final class OfFiles implements WeightSource {
    private final Path directory;
    private final Map<String, String> files;

    OfFiles(Path directory) {
      this.directory = directory;
      this.files = files();
    }

    @Override
    public void fill(Weights weights, Meter meter) {
      if (!isThere()) {
        throw new InvalidInputException(directory + ": its weights have changed since they were loaded; the model's memory "
            + "was given back while only a full fine-tuning of it was at work. Load the model again");
      }
      try (ModelDirectory stored = ModelDirectory.open(directory)) {
        ModelConfig config = weights.layout().config();
        Collection<Layout.Weight> all = weights.layout().weights().values();
        meter.expectBytes(all.stream().mapToLong(w -> WeightNames.stored(stored, config, w.name()).bytes()).sum());
        for (Layout.Weight weight : all) {
          StoredTensor from = WeightNames.stored(stored, config, weight.name());
          WeightFiles.read(stored::bytes, from, weights, weight);
          meter.addBytes(from.bytes());
        }
      }
    }

    @Override
    public boolean isThere() {
      return files().equals(files) && !files.isEmpty();
    }

    /** Size and time of each file. */
    private Map<String, String> files() {
      Map<String, String> out = new TreeMap<>();
      try (Stream<Path> list = Files.list(directory)) {
        for (Path file : list.filter(f -> f.toString().endsWith(".safetensors")).toList()) {
          out.put(file.getFileName().toString(), Files.size(file) + " " + Files.getLastModifiedTime(file));
        }
      } catch (IOException e) {
        return Map.of();
      }
      return out;
    }
  }

  /** Random numbers. */
  record OfSeed(long seed) implements WeightSource {
    @Override
    public void fill(Weights weights, Meter meter) {
      Torch.get().seed(seed);
      weights.layout().weights().values().forEach(w -> RandomWeights.fill(weights.weight(w.block()), w));
    }

    @Override
    public boolean isThere() {
      return true;
    }
  }
}
