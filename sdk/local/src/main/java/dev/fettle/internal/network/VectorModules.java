package dev.fettle.internal.network;

import dev.fettle.internal.checkpoint.VectorModule;
import dev.fettle.internal.torch.Scope;
import dev.fettle.internal.torch.Tensor;
import java.util.ArrayList;
import java.util.List;

/** What vectors pass through after pooling, in float32; its weights stay as they are. */
final class VectorModules {
  private final List<VectorModule> modules;
  private final List<Tensor[]> weights = new ArrayList<>();

  VectorModules(List<VectorModule> modules, Scope scope, Pooler.Source source) {
    this.modules = modules;
    for (VectorModule module : modules) {
      weights.add(module instanceof VectorModule.Dense dense ? weights(dense, scope, source) : new Tensor[0]);
    }
  }

  private static Tensor[] weights(VectorModule.Dense dense, Scope scope, Pooler.Source source) {
    return new Tensor[] {
      source.weight(scope, dense, "linear.weight", dense.outputs(), dense.inputs()),
      dense.bias() ? source.weight(scope, dense, "linear.bias", dense.outputs()) : scope.none(),
      dense.residual() && dense.inputs() != dense.outputs()
          ? source.weight(scope, dense, "residual.weight", dense.outputs(), dense.inputs()) : scope.none()};
  }

  /** What goes into each module, and what comes out of the last. */
  List<Tensor> forward(Scope step, Tensor pooled) {
    List<Tensor> out = new ArrayList<>(List.of(pooled));
    for (int i = 0; i < modules.size(); i++) {
      Tensor x = out.get(i);
      Tensor[] w = weights.get(i);
      out.add(modules.get(i) instanceof VectorModule.Dense dense
          ? step.kernels().vectorDense(x, w[0], w[1], w[2], dense.activation().ordinal(), dense.residual())
          : step.kernels().unit(x));
    }
    return out;
  }

  /** The gradient of what was pooled, from that of what came out. */
  Tensor backward(Scope step, List<Tensor> passed, Tensor gradient) {
    Tensor d = gradient;
    for (int i = modules.size() - 1; i >= 0; i--) {
      Tensor x = passed.get(i);
      Tensor[] w = weights.get(i);
      d = modules.get(i) instanceof VectorModule.Dense dense
          ? step.kernels().vectorDenseBackward(d, x, w[0], w[1], w[2], dense.activation().ordinal(), dense.residual())
          : step.kernels().unitBackward(d, x);
    }
    return d;
  }
}
