package dev.fettle.internal.local;

import dev.fettle.InvalidInputException;
import dev.fettle.internal.model.AdapterShape;
import dev.fettle.internal.model.LayerVector;
import dev.fettle.internal.model.Layout;
import dev.fettle.internal.model.Product;
import dev.fettle.internal.torch.Kernels;
import dev.fettle.internal.torch.Scope;
import dev.fettle.internal.torch.Tensor;
import java.util.HashMap;
import java.util.Map;

/** The weights of a training with adapters folded in, one by one. */
final class MergedWeights {
  private final TrainableModel tuned;
  private final Originals originals;
  private final Map<String, ParameterVector.Parameter> trained = new HashMap<>();

  MergedWeights(LocalModel model, TrainableModel tuned) {
    requireBiases(tuned);
    this.tuned = tuned;
    this.originals = new Originals(model);
    tuned.parameters().parameters().forEach(p -> trained.put(p.name(), p));
  }

  /** Whether adapters are folded into what the model was quantised from. */
  boolean areOriginal() {
    return originals.areThere();
  }

  /** A trained bias needs one in the model to be added to. */
  private static void requireBiases(TrainableModel tuned) {
    AdapterShape shape = tuned.adapters().shape();
    for (int layer = 0; shape.kind().biases() && layer < shape.layers(); layer++) {
      for (Product product : shape.adapted(layer)) {
        if (tuned.layout().block(layer, LayerVector.biasOf(product)).isEmpty()) {
          throw new InvalidInputException("this model's layers have no biases, so the trained ones cannot be folded in: "
              + "save the adapter with saveAdapter");
        }
      }
    }
  }

  /** A weight as it is now. */
  Tensor value(Scope scope, Layout.Weight w) {
    ParameterVector.Parameter whole = trained.get(w.name());
    if (whole != null) {
      return tuned.parameters().values(scope, whole);
    }
    if (w.block().place() instanceof Product p && p.isOfExperts()) {
      return ofExpert(scope, w, p);
    }
    Kernels k = scope.kernels();
    Tensor base = base(scope, w);
    AdapterShape shape = tuned.adapters().shape();
    ParameterVector.Parameter a = trained.get(AdapterNames.Kind.A.name(w.module()));
    if (w.module().equals(shape.embedding().name())) {
      return !shape.embedding().isAdapted() ? base : k.mergedEmbedding(base,
          values(scope, trained.get(AdapterNames.embeddingA(shape))), values(scope, trained.get(AdapterNames.embeddingB(shape))),
          shape.embedding().scale());
    } else if (a == null) {
      return base;
    }
    double scale = w.module().equals(shape.head().name()) ? shape.head().scale() : tuned.adapters().settings().scale(w.module());
    if (!w.name().endsWith(".weight")) {
      ParameterVector.Parameter bias = trained.get(AdapterNames.Kind.BIAS.name(w.module()));
      return bias == null ? base : k.plus(base, values(scope, bias), scale);
    }
    ParameterVector.Parameter b = trained.get(AdapterNames.Kind.B.name(w.module()));
    Tensor merged = k.merged(base, values(scope, a), values(scope, b), scale);
    ParameterVector.Parameter magnitude = trained.get(AdapterNames.Kind.MAGNITUDE.name(w.module()));
    if (magnitude != null) {
      return k.mergedMagnitude(merged, values(scope, magnitude));
    }
    Tensor start = tuned.adapters().start();
    return start == null ? merged : k.merged(merged, k.viewSlice(start, a.offset(), a.shape()),
        k.viewSlice(start, b.offset(), b.shape()), -scale);
  }

  private Tensor base(Scope scope, Layout.Weight w) {
    return originals.value(scope, tuned.frozen(w.block()), w);
  }

  /** A weight of an expert, whose adapter is a part of that of all of them. */
  private Tensor ofExpert(Scope scope, Layout.Weight w, Product product) {
    Kernels k = scope.kernels();
    Tensor base = base(scope, w);
    AdapterShape.Member member = tuned.adapters().shape().members(w.block().layer(), product).get(0);
    if (!member.isAdapted()) {
      return base;
    }
    long first = w.offset() / w.columns();
    long expert = first / member.outputs();
    Tensor a = k.rows(values(scope, trained.get(AdapterNames.Kind.A.name(member.stored()))), expert * member.rank(), member.rank());
    Tensor b = k.expertsB(values(scope, trained.get(AdapterNames.Kind.B.name(member.stored()))), expert, member.copies());
    return k.merged(base, a, k.rows(b, first % member.outputs(), w.shape()[0]), member.scale());
  }

  private Tensor values(Scope scope, ParameterVector.Parameter p) {
    return tuned.parameters().values(scope, p);
  }
}
