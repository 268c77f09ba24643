package dev.fettle.internal.local;

import dev.fettle.InvalidInputException;
import dev.fettle.internal.checkpoint.SafetensorsFile;
import dev.fettle.internal.checkpoint.StoredTensor;
import dev.fettle.internal.checkpoint.VectorModule;
import dev.fettle.internal.torch.NumberType;
import dev.fettle.internal.torch.Scope;
import dev.fettle.internal.torch.Tensor;
import java.util.Arrays;

/** Reads the weights of a module that vectors pass through after pooling. */
final class DenseWeights {
  private DenseWeights() {}

  /** A weight of the module's file, in float32. */
  static Tensor read(Scope scope, VectorModule.Dense module, String name, long... shape) {
    SafetensorsFile file = SafetensorsFile.open(module.weights());
    StoredTensor stored = file.tensors().get(name);
    if (stored == null) {
      throw new InvalidInputException(module.weights().path() + ": tensor " + name + " is missing, which "
          + module.config().path() + " asks for");
    }
    if (!stored.hasShape(shape) || !stored.type().isWeight()) {
      throw new InvalidInputException(module.weights().path() + ": tensor " + name + " is " + stored.type() + " "
          + Arrays.toString(stored.shape()) + ", " + module.config().path() + " asks for F32, F16 or BF16 "
          + Arrays.toString(shape));
    }
    Tensor out = scope.zeros(NumberType.F32, shape);
    WeightFiles.read(file::bytes, stored, out, 0);
    return out;
  }
}
