package dev.fettle.internal.local;

import dev.fettle.InvalidInputException;
import dev.fettle.internal.ProgressMeter;
import dev.fettle.internal.checkpoint.ModelDirectory;
import dev.fettle.internal.checkpoint.QuantisationScheme;
import dev.fettle.internal.checkpoint.QuantisedTensor;
import dev.fettle.internal.gguf.GgufModel;
import dev.fettle.internal.gguf.GgufTensor;
import dev.fettle.internal.gguf.GgufWeight;
import dev.fettle.internal.model.Layout;
import dev.fettle.internal.model.ModelConfig;
import dev.fettle.internal.model.WeightNames;
import dev.fettle.internal.network.Weight;
import dev.fettle.internal.network.WeightForm;
import dev.fettle.internal.network.Weights;
import dev.fettle.internal.torch.NumberType;
import dev.fettle.internal.torch.Scope;
import dev.fettle.internal.torch.Tensor;
import dev.fettle.internal.torch.Torch;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.zip.CRC32C;

/** Where a model's weights come from, at first and after their memory was given back. */
sealed interface WeightSource {
  void fill(Weights weights, ProgressMeter meter);

  /** Whether they could be had again as they were. */
  boolean isThere();

  /** Whether all that was rounded still lies there as it was. */
  default boolean isAsItWas(ModelConfig config) {
    return false;
  }

  /** The form of a weight there, if it is one that weights can be held in. */
  default WeightForm form(ModelConfig config, Layout.Weight weight) {
    return WeightForm.DENSE;
  }

  /** Whether each weight can be had as it was before it was quantised. */
  default boolean isDense(ModelConfig config) {
    return false;
  }

  /** Such a weight, float32. */
  default Tensor read(Scope scope, ModelConfig config, Layout.Weight weight) {
    throw new IllegalStateException(weight.name() + " was drawn, and is not kept");
  }

  /** The files, if they come from some. */
  default Optional<ModelDirectory> files() {
    return Optional.empty();
  }

  /** Closes what is read from. */
  default void close() {}

  /** A GGUF, whose blocks become numbers of the model's own type. */
  record OfGguf(GgufModel stored) implements WeightSource {
    @Override
    public void fill(Weights weights, ProgressMeter meter) {
      stored.file().changed().ifPresent(WeightSource::refuseChanged);
      meter.expectBytes(stored.file().tensors().values().stream().mapToLong(GgufTensor::bytes).sum());
      for (GgufWeight weight : stored.tensors().values()) {
        GgufTensor tensor = stored.file().tensors().get(weight.name());
        GgufRows.read(stored.file(), tensor, weight, weights);
        meter.addBytes(tensor.bytes());
      }
    }

    @Override
    public boolean isThere() {
      return stored.file().changed().isEmpty();
    }

    @Override
    public void close() {
      stored.close();
    }
  }

  private static void refuseChanged(Path file) {
    throw new InvalidInputException(file + ": was written over in place since the model was loaded, and the memory "
        + "of its weights was given back while only a full fine-tuning was at work. Load the model again");
  }

  /**
   * The files of a directory, whatever has its name by now, as long as nothing is written into them.
   *
   * @param sums of what was read of each weight that is held in fewer bits now: CRC-32C
   */
  record OfFiles(ModelDirectory stored, Map<String, Long> sums) implements WeightSource {
    OfFiles(ModelDirectory stored) {
      this(stored, new HashMap<>());
    }

    @Override
    public void fill(Weights weights, ProgressMeter meter) {
      stored.changed().ifPresent(WeightSource::refuseChanged);
      ModelConfig config = weights.layout().config();
      Collection<Layout.Weight> all = weights.layout().weights().values();
      meter.expectBytes(all.stream().mapToLong(w -> bytes(config, w)).sum());
      for (Layout.Weight weight : all) {
        Optional<QuantisedReader> quantised = quantised(config, weight);
        if (quantised.isPresent()) {
          quantised.get().into(weights.weight(weight.block()), weight.offset() / weight.shape()[1]);
        } else if (weights.weight(weight.block()) instanceof Weight.Quantised) {
          CRC32C sum = new CRC32C();
          WeightFiles.read(summed(sum), WeightNames.place(stored, config, weight.name()), weights, weight);
          sums.put(weight.name(), sum.getValue());
        } else {
          WeightFiles.read(stored::bytes, WeightNames.place(stored, config, weight.name()), weights, weight);
        }
        meter.addBytes(bytes(config, weight));
      }
    }

    private WeightFiles.Reader summed(CRC32C sum) {
      return (tensor, from, length) -> {
        ByteBuffer bytes = stored.bytes(tensor, from, length);
        sum.update(bytes.duplicate());
        return bytes;
      };
    }

    /** Also where the time of the files says nothing: they are read once more. */
    @Override
    public boolean isAsItWas(ModelConfig config) {
      return isThere() && sums.entrySet().stream().allMatch(e -> {
        CRC32C sum = new CRC32C();
        WeightFiles.pieces(summed(sum), WeightNames.place(stored, config, e.getKey()), (piece, at) -> {});
        return sum.getValue() == e.getValue();
      });
    }

    private long bytes(ModelConfig config, Layout.Weight weight) {
      return WeightNames.quantised(stored, config, weight.name(), weight.shape())
          .map(q -> q.parts().get(QuantisedTensor.CODES).bytes())
          .orElseGet(() -> WeightNames.place(stored, config, weight.name()).bytes());
    }

    private Optional<QuantisedReader> quantised(ModelConfig config, Layout.Weight weight) {
      return WeightNames.quantised(stored, config, weight.name(), weight.shape())
          .map(q -> new QuantisedReader(q, QuantisationScheme.of(stored.config()), stored::bytes));
    }

    @Override
    public boolean isDense(ModelConfig config) {
      return Layout.of(config).weights().values().stream().allMatch(w -> quantised(config, w).isEmpty());
    }

    @Override
    public Tensor read(Scope scope, ModelConfig config, Layout.Weight weight) {
      Tensor out = scope.zeros(NumberType.F32, weight.shape());
      WeightFiles.read(stored::bytes, WeightNames.place(stored, config, weight.name()), out, 0);
      return out;
    }

    @Override
    public WeightForm form(ModelConfig config, Layout.Weight weight) {
      return quantised(config, weight).map(QuantisedReader::form).orElse(WeightForm.DENSE);
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
