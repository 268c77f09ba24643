/** A model that runs: weights, adapters, forward and backward passes, decoding, by the kernels of {@code internal.torch}. */
package dev.fettle.internal.network;
