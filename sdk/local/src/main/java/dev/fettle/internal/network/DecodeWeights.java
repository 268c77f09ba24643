package dev.fettle.internal.network;

import dev.fettle.internal.model.Layout;
import dev.fettle.internal.model.Product;
import dev.fettle.internal.torch.NativeList;
import dev.fettle.internal.torch.NumberType;
import dev.fettle.internal.torch.Scope;
import dev.fettle.internal.torch.Tensor;
import dev.fettle.internal.torch.Torch;
import java.util.List;

/**
 * The weights of a model in the form that decoding reads fastest: matrices packed for oneDNN where the processor gains
 * from it, rounded to 8-bit integers where that was asked for, else as they are. What is packed or rounded is a copy,
 * which closing frees; the rest is that of the weights given, which must outlive this.
 */
public final class DecodeWeights implements AutoCloseable {
  /** libtorch's own kernel for 8-bit integers takes so many at once and does not look where a row or the matrix ends. */
  private static final int INT8_BLOCK = 32;

  private final Scope scope = new Scope();
  private final Weights original;
  private final Weights formed;
  private final boolean rounds;
  private final NativeList<NativeList<NativeList<Tensor>>> products;
  private final NativeList<NativeList<Tensor>> vectors;

  private DecodeWeights(Weights weights, boolean int8) {
    this.original = weights;
    this.rounds = int8;
    this.formed = weights.with(scope, (block, w) -> isInt4(block, w, weights.type(), int8) ? packedInt4((Weight.Quantised) w)
        : int8 ? rounded(block, w) : Torch.get().packs(weights.type()) ? packed(block, w) : w);
    this.products = formed.allProducts(scope);
    this.vectors = formed.allVectors(scope);
  }

  /** Weights that the processor reads fastest, without loss. */
  public static DecodeWeights exact(Weights weights) {
    return new DecodeWeights(weights, false);
  }

  /**
   * Matrices rounded to 8 bits, with a scale for each row. What chooses experts stays as it is; so does, of experts and where oneDNN
   * does not multiply with 8-bit integers, a matrix with a side that is no multiple of 32.
   */
  public static DecodeWeights int8(Weights weights) {
    return new DecodeWeights(weights, true);
  }

  /** The memory that copies take, in bytes; scales of rows, a thousandth of it, are not counted. */
  public static long copiedBytes(Weights weights, boolean rounded) {
    Layout layout = weights.layout();
    Layout.Block head = layout.head() == null ? layout.embedding() : layout.head();
    return layout.blocks().stream().filter(b -> b.equals(head) || b.isProduct())
        .mapToLong(b -> copiedBytes(weights, b, rounded)).sum();
  }

  private static long copiedBytes(Weights weights, Layout.Block block, boolean rounded) {
    Weight w = weights.weight(block);
    if (isInt4(block, w, weights.type(), rounded)) {
      return w.bytes();
    }
    if (rounded) {
      return roundable(weights.layout(), block) && (!isInt8(w) || isPackedInt8(block)) ? block.size() : 0;
    }
    return Torch.get().packs(weights.type()) && w instanceof Weight.Dense && !isOfExperts(block)
        ? block.size() * weights.type().size() : 0;
  }

  private static boolean isInt8(Weight w) {
    return w instanceof Weight.Quantised q && q.form().equals(WeightForm.INT8);
  }

  /** Whether it is packed for the kernel of 4-bit integers, which computes in bf16 and takes whole blocks. */
  private static boolean isInt4(Layout.Block block, Weight w, NumberType type, boolean rounded) {
    return (rounded || type == NumberType.BF16) && w instanceof Weight.Quantised q && q.form().equals(WeightForm.INT4)
        && block.shape()[0] % INT8_BLOCK == 0 && block.shape()[1] % INT8_BLOCK == 0 && !isOfExperts(block);
  }

  /**
   * For how many rows oneDNN is asked to order a matrix. Asked for eight, it reads a single row faster too where the processor has
   * AVX-512, which is where it packs bf16; without AVX-512 the order for one row is the better one for any number.
   */
  private static long rows() {
    return Torch.get().bf16() ? 8 : 1;
  }

  /** Of a packed matrix no rows can be taken out, as those of an expert are. */
  private static boolean isOfExperts(Layout.Block block) {
    return block.place() instanceof Product p && p.isOfExperts();
  }

  private Weight packed(Layout.Block block, Weight w) {
    return w instanceof Weight.Dense dense && !isOfExperts(block)
        ? new Weight.Packed(dense, List.of(scope.kernels().pack(dense.values(), rows()))) : w;
  }

  private Weight packedInt4(Weight.Quantised w) {
    return new Weight.Packed(w, List.of(scope.kernels().packInt4(w.tensors().get(0), w.tensors().get(1))));
  }

  private Weight rounded(Layout.Block block, Weight w) {
    if (!roundable(original.layout(), block)) {
      return w;
    }
    if (isPackedInt8(block)) {
      return packedInt8(w);
    }
    // Scales are in bf16, which is what the kernel takes, also where the model computes in f32.
    if (isInt8(w)) {
      Weight.Quantised q = (Weight.Quantised) w;
      Tensor scales = scope.kernels().cast(q.tensors().get(1), NumberType.BF16);
      return new Weight.Quantised(WeightForm.INT8, NumberType.BF16, w.shape(), List.of(q.tensors().get(0), scales));
    }
    Weight.Quantised out = (Weight.Quantised) WeightForm.INT8.zeros(scope, NumberType.BF16, w.shape());
    out.write(0, w.shape()[0], w::dense);
    return out;
  }

  private static boolean isPackedInt8(Layout.Block block) {
    return Torch.get().int8() && !isOfExperts(block);
  }

  private Weight packedInt8(Weight w) {
    try (Scope step = new Scope()) {
      List<Tensor> codes = w.tensors();
      if (!isInt8(w)) {
        Weight.Quantised made = (Weight.Quantised) WeightForm.INT8.zeros(step, NumberType.F32, w.shape());
        made.write(0, w.shape()[0], w::dense);
        codes = made.tensors();
      }
      return new Weight.Packed(w, List.of(scope.kernels().packInt8(codes.get(0), codes.get(1))));
    }
  }

  /** Whether the kernel takes a matrix, or each expert's part of it. A router stays exact: rounded, it would choose others. */
  private static boolean roundable(Layout layout, Layout.Block block) {
    if (isPackedInt8(block)) {
      return block.place() != Product.ROUTER;
    }
    boolean rows = block.shape()[0] % INT8_BLOCK == 0;
    if (isOfExperts(block)) {
      rows = layout.config().layers().get(block.layer()).linears((Product) block.place()).stream()
          .allMatch(l -> l.outputs() % INT8_BLOCK == 0);
    }
    return rows && block.shape()[1] % INT8_BLOCK == 0 && block.place() != Product.ROUTER;
  }

  /** The weights that these were made of. */
  Weights original() {
    return original;
  }

  /** What prompts are read with: no rounded weights, but packed ones, which need no copy of each matrix in every pass. */
  Weights ofPrompts() {
    return rounds ? original : formed;
  }

  /** A weight in the form in which it is decoded. */
  Weight weight(Layout.Block block) {
    return formed.weight(block);
  }

  /** The matrices of all layers. */
  NativeList<NativeList<NativeList<Tensor>>> products() {
    return products;
  }

  /** The vectors of all layers. */
  NativeList<NativeList<Tensor>> vectors() {
    return vectors;
  }

  /** The output embedding. */
  NativeList<Tensor> head() {
    return formed.head();
  }

  @Override
  public void close() {
    scope.close();
  }
}
