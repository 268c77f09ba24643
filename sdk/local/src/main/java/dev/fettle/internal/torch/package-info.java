/**
 * Native tensors and the TorchScript kernels that work on them; the only package that imports {@code ai.djl} engine
 * types. {@link dev.fettle.internal.torch.Scope} owns tensors and calls kernels; {@code Archive} turns the kernel
 * sources among the resources into a module that libtorch loads.
 */
package dev.fettle.internal.torch;
