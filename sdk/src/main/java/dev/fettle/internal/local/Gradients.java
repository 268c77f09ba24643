package dev.fettle.internal.local;

import dev.fettle.internal.model.AdapterGradients;
import dev.fettle.internal.model.WeightGradients;
import dev.fettle.internal.torch.Tensor;

/**
 * Where a pass adds its gradients: a flat vector as long as the parameters, seen through views.
 *
 * @param vector the whole
 * @param weights its views by weight; none where no weight is trained
 * @param adapters its views by adapter
 */
record Gradients(Tensor vector, WeightGradients weights, AdapterGradients adapters) {}
