package dev.fettle.internal.local;

import dev.fettle.InvalidInputException;
import dev.fettle.internal.ProgressMeter;
import dev.fettle.internal.checkpoint.ModelDirectory;
import dev.fettle.internal.model.Layout;
import dev.fettle.internal.model.ModelConfig;
import dev.fettle.internal.model.WeightNames;
import dev.fettle.internal.network.WeightForm;
import dev.fettle.internal.network.Weights;
import dev.fettle.internal.torch.Torch;
import java.util.Collection;
import java.util.Optional;

/** Where a model's weights come from, at first and after their memory was given back. */
sealed interface WeightSource {
  void fill(Weights weights, ProgressMeter meter);

  /** Whether they could be had again as they were. */
  boolean isThere();

  /** The form of a weight there, if it is one that weights can be held in. */
  default WeightForm form(Layout.Weight weight) {
    return WeightForm.DENSE;
  }

  /** The files, if they come from some. */
  default Optional<ModelDirectory> files() {
    return Optional.empty();
  }

  /** The files of a directory, whatever has its name by now, as long as nothing is written into them. */
  record OfFiles(ModelDirectory stored) implements WeightSource {
    @Override
    public void fill(Weights weights, ProgressMeter meter) {
      stored.changed().ifPresent(file -> {
        throw new InvalidInputException(file + ": was written over in place since the model was loaded, and the memory "
            + "of its weights was given back while only a full fine-tuning was at work. Load the model again");
      });
      ModelConfig config = weights.layout().config();
      Collection<Layout.Weight> all = weights.layout().weights().values();
      meter.expectBytes(all.stream().mapToLong(w -> WeightNames.place(stored, config, w.name()).bytes()).sum());
      for (Layout.Weight weight : all) {
        WeightNames.Place from = WeightNames.place(stored, config, weight.name());
        WeightFiles.read(stored::bytes, from, weights, weight);
        meter.addBytes(from.bytes());
      }
    }

    @Override
    public boolean isThere() {
      return stored.changed().isEmpty();
    }

    @Override
    public Optional<ModelDirectory> files() {
      return Optional.of(stored);
    }
  }

  /** Random numbers. */
  record OfSeed(long seed) implements WeightSource {
    @Override
    public void fill(Weights weights, ProgressMeter meter) {
      Torch.get().seed(seed);
      weights.layout().weights().values().forEach(w -> RandomWeights.fill(weights.weight(w.block()), w));
    }

    @Override
    public boolean isThere() {
      return true;
    }
  }
}
