package dev.fettle.internal.torch;

import java.util.Optional;

/**
 * How operations are carried out, which the last bits of their results depend on: on one processor, equal calls under
 * equal executions give equal bits. With another number of threads an operation adds up in another order, and a batch is
 * dealt out to another number of lanes.
 *
 * @param kernels which library multiplies
 * @param threads that one operation uses
 */
public record Execution(KernelSelection kernels, int threads) {
  /** What was recorded somewhere, as far as it can be had here, in place of the usual; what the user asks for stays. */
  public static Execution recorded(String kernels, int threads) {
    Torch torch = Torch.get();
    Optional<KernelSelection> wanted =
        KernelSelection.isAsked() ? Optional.empty() : KernelSelection.parse(kernels).filter(torch::has);
    boolean asked = Integer.getInteger("fettle.threads") != null;
    boolean fits = threads >= 1 && threads <= Math.max(torch.usual().threads(), Runtime.getRuntime().availableProcessors());
    return new Execution(wanted.orElse(torch.usual().kernels()), !asked && fits ? threads : torch.usual().threads());
  }

  /** Such as {@code f32 mkl, bf16 onednn; 2 threads}. */
  @Override
  public String toString() {
    return kernels + "; " + (threads == 1 ? "1 thread" : threads + " threads");
  }
}
