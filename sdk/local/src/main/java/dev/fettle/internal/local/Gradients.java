package dev.fettle.internal.local;

import dev.fettle.internal.network.AdapterGradients;
import dev.fettle.internal.network.WeightGradients;

/**
 * Where a pass adds its gradients: views of the vector of a lane.
 *
 * @param weights by weight; none where no weight is trained
 * @param adapters by adapter
 */
record Gradients(WeightGradients weights, AdapterGradients adapters) {}
