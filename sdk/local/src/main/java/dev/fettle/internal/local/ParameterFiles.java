package dev.fettle.internal.local;

import dev.fettle.InvalidInputException;
import dev.fettle.internal.checkpoint.SafetensorsFile;
import dev.fettle.internal.checkpoint.StoredTensor;
import dev.fettle.internal.local.ParameterVector.Parameter;
import dev.fettle.internal.model.OuterWeight;
import dev.fettle.internal.torch.Kernels;
import dev.fettle.internal.torch.NumberType;
import dev.fettle.internal.torch.Scope;
import dev.fettle.internal.torch.Tensor;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;

/** The values of what is trained, from a file that names each tensor. */
final class ParameterFiles {
  /**
   * With bias = "all", or embeddings saved along, PEFT's files have what modules_to_save names twice more: as the model had it,
   * and by a name that is not read again or says the same.
   */
  private static final Pattern AGAIN = Pattern.compile("\\.(original_module|modules_to_save)\\.");

  private ParameterFiles() {}

  /**
   * Reads the values of a training of the same shape; nothing is changed if they do not fit.
   *
   * @param prefix of the names in the file
   * @param shapes what says which tensors there must be, for errors
   */
  static void fill(SafetensorsFile stored, String prefix, TrainableModel tuned, String shapes) {
    Tensor start = tuned.adapters().start();
    Set<String> extra = new TreeSet<>(stored.tensors().keySet());
    Set<Parameter> missing = new HashSet<>();
    SeparateExperts separate = SeparateExperts.find(stored, prefix, tuned);
    extra.removeAll(separate.tensors());
    for (Parameter p : tuned.parameters().parameters()) {
      if (separate.holds(p)) {
        continue;
      }
      String name = prefix + tuned.nameInFiles(p);
      if (tuned.full().isBias(p) && !stored.tensors().containsKey(name)) {
        missing.add(p);
        continue;
      }
      StoredTensor found = find(stored, name);
      if (isOfVocabulary(tuned, p)) {
        AdapterFiles.requireVocabulary(stored, found, found.shape(), p.shape());
      }
      require(stored, found, shape(tuned, p));
      extra.remove(name);
    }
    extra.removeIf(name -> isPassedOver(tuned, name, prefix));
    if (!extra.isEmpty()) {
      throw new InvalidInputException(stored.path() + ": tensor " + extra.iterator().next() + " belongs to no module that "
          + shapes + " and the model name");
    }
    try (Scope scope = new Scope()) {
      long size = tuned.parameters().size();
      Tensor read = scope.zeros(NumberType.F32, size);
      Tensor taken = start == null ? null : scope.zeros(NumberType.F32, tuned.adapters().size());
      for (Parameter p : tuned.parameters().parameters()) {
        StoredTensor tensor = stored.tensors().get(prefix + tuned.nameInFiles(p));
        if (missing.contains(p)) {
          scope.kernels().copy(scope.kernels().viewSlice(read, p.offset(), p.shape()), tuned.parameters().values(scope, p));
        } else if (separate.holds(p)) {
          separate.read(p, scope.kernels().viewSlice(read, p.offset(), p.shape()));
        } else if (isDoubled(tuned, p)) {
          halves(scope, stored, tensor, p, read, taken);
        } else {
          WeightFiles.read(stored::bytes, tensor, read, p.offset());
        }
      }
      if (!Double.isFinite(scope.kernels().l2Norm(read))) {
        throw new InvalidInputException(stored.path() + ": a value is NaN or infinite");
      }
      scope.kernels().copy(tuned.parameters().values(), read);
      if (start != null) {
        scope.kernels().copy(start, taken);
      }
    }
    tuned.adapters().refreshStart();
    tuned.refresh();
  }

  /** What is read elsewhere, what says the same again, and what the model has no use for. */
  private static boolean isPassedOver(TrainableModel tuned, String name, String prefix) {
    String bare = name.substring(Math.min(prefix.length(), name.length()));
    return tuned.brought().knows(bare) || isTiedHead(tuned, name, prefix) || AGAIN.matcher(bare).find()
        || tuned.layout().config().architecture().ignores(bare);
  }

  private static boolean isTiedHead(TrainableModel tuned, String name, String prefix) {
    return name.equals(prefix + OuterWeight.HEAD_MODULE + ".weight") && tuned.layout().config().tiedEmbeddings();
  }

  private static boolean isOfVocabulary(TrainableModel tuned, Parameter p) {
    return p.shape().length == 2 && p.shape()[0] == tuned.layout().config().vocabSize()
        && List.of(tuned.layout().embeddingModule(), OuterWeight.HEAD_MODULE).contains(AdapterNames.module(p.name())
            .replaceFirst("\\.weight$", ""));
  }

  private static boolean isDoubled(TrainableModel tuned, Parameter p) {
    return tuned.adapters().start() != null && tuned.adapters().parameter(p.name()) != null;
  }

  private static long[] shape(TrainableModel tuned, Parameter p) {
    long[] shape = p.shape().clone();
    if (isDoubled(tuned, p)) {
      shape[AdapterNames.Kind.A.is(p.name()) ? 0 : 1] *= 2;
    }
    return shape;
  }

  /** Parts the adapter of twice the rank into what is trained and the start that is taken off again. */
  private static void halves(Scope scope, SafetensorsFile stored, StoredTensor tensor, Parameter p, Tensor read, Tensor taken) {
    Tensor both = scope.zeros(NumberType.F32, tensor.shape());
    WeightFiles.read(stored::bytes, tensor, both, 0);
    boolean a = AdapterNames.Kind.A.is(p.name());
    long rank = p.shape()[a ? 0 : 1];
    Kernels k = scope.kernels();
    k.copy(k.viewSlice(read, p.offset(), p.shape()), a ? k.rows(both, 0, rank) : k.columns(both, 0, rank));
    k.scaled(k.viewSlice(taken, p.offset(), p.shape()), a ? k.rows(both, rank, rank) : k.columns(both, rank, rank), a ? 1 : -1);
  }

  static StoredTensor find(SafetensorsFile stored, String name) {
    StoredTensor tensor = stored.tensors().get(name);
    if (tensor == null) {
      throw new InvalidInputException(stored.path() + ": tensor " + name + " is missing");
    }
    return tensor;
  }

  static void require(SafetensorsFile stored, StoredTensor tensor, long... shape) {
    if (!tensor.hasShape(shape)) {
      throw new InvalidInputException(stored.path() + ": tensor " + tensor.name() + " has the shape "
          + Arrays.toString(tensor.shape()) + ", model and adapter_config.json ask for " + Arrays.toString(shape));
    }
    if (!tensor.type().isWeight()) {
      throw new InvalidInputException(stored.path() + ": tensor " + tensor.name() + " is " + tensor.type()
          + "; an adapter can be F32, F16 or BF16");
    }
  }
}
