package dev.fettle.internal.torch;

/**
 * The kernels that Java calls, each a method: {@code layerForward} runs {@code layer_forward} of the TorchScript source, with
 * arguments of the same names in the same order. {@link Scope#kernels()} gives them; what they return belongs to that
 * scope. {@code KernelsTest} compares each method with the function that it calls.
 *
 * <p>Tensors are described by their dimensions in brackets. An empty tensor or list stands for what is absent.
 */
public interface Kernels
    extends TensorKernels, LinearKernels, LayerKernels, HeadKernels, DecodeKernels, IndexKernels,
    StoredKernels {}
