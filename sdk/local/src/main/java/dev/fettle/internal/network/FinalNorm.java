package dev.fettle.internal.network;

import dev.fettle.internal.model.OuterWeight.Place;
import dev.fettle.internal.torch.Scope;
import dev.fettle.internal.torch.Tensor;

/** The norm after the last layer, of networks that end in one. */
final class FinalNorm {
  private FinalNorm() {}

  /** The rows, normalised, and what the way back needs; the rows themselves where there is no norm. */
  static Tensor[] forward(Scope step, Tensor x, Weights w) {
    var config = w.layout().config();
    if (!config.has(Place.FINAL_NORM)) {
      return new Tensor[] {x};
    }
    return config.architecture().layerNorms()
        ? step.kernels().layerNorm(x, w.finalNorm(), w.outer(Place.FINAL_NORM_BIAS), config.eps())
        : new Tensor[] {step.kernels().rmsNorm(x, w.finalNorm(), step.floats((float) config.eps()),
            config.numbers().unitOffset())};
  }

  /** The gradient of the rows; adds that of the norm. Without a norm the gradient as it is. */
  static Tensor backward(Scope step, Tensor d, Tensor x, Tensor[] normed, Weights w, WeightGradients into, boolean overwrite) {
    var config = w.layout().config();
    if (!config.has(Place.FINAL_NORM)) {
      return d;
    }
    return config.architecture().layerNorms()
        ? step.kernels().layerNormBackward(d, x, normed[1], normed[2], w.finalNorm(), w.outer(Place.FINAL_NORM_BIAS),
            into.finalNorm(), into.outer(Place.FINAL_NORM_BIAS), overwrite)
        : step.kernels().rmsNormBackward(d, x, w.finalNorm(), config.eps(), config.numbers().unitOffset(),
            into.finalNorm(), overwrite,
            step.kernels().noResidual(x));
  }
}
