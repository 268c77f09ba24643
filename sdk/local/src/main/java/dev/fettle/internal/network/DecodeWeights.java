package dev.fettle.internal.network;

import dev.fettle.NotEnoughMemoryException;
import dev.fettle.internal.model.Layout;
import dev.fettle.internal.model.Product;
import dev.fettle.internal.torch.FewRows;
import dev.fettle.internal.torch.NativeList;
import dev.fettle.internal.torch.NumberType;
import dev.fettle.internal.torch.Scope;
import dev.fettle.internal.torch.Tensor;
import dev.fettle.internal.torch.Torch;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.IntConsumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The weights of a model in the forms that decoding reads fastest. Few rows are multiplied with matrices in float16 where these
 * lose nothing by it, or rounded to 8-bit integers where that was asked for; many, in bf16, with matrices that oneDNN has
 * packed, which are made when they are first needed. Where FBGEMM is not, oneDNN's serve any number of rows, and else the
 * matrices as they are. Closing frees the copies; the rest is that of the weights given, which must outlive this.
 */
public final class DecodeWeights implements AutoCloseable {
  /** libtorch's own kernel for 8-bit integers takes so many at once and does not look where a row or the matrix ends. */
  private static final int INT8_BLOCK = 32;
  /** Up to so many rows of bf16 are faster with float16 than with what oneDNN has packed; of f32 any number is. */
  private static final int FEW = 4;
  /** What float16 may lose of a matrix, as a share of its length: in f32 no more than ten sums round off, in bf16 a tenth of a sum. */
  private static final double LOST_F32 = 1e-6;
  private static final double LOST_BF16 = 1e-4;

  private final Scope scope = new Scope();
  private final Weights original;
  private final boolean rounds;
  private final Set<Layout.Block> halves;
  private final Maker maker;
  private final NativeList<NativeList<Tensor>> vectors;
  private final Set<Layout.Block> packed;
  private final Form few;
  private Form many;
  private long taken;

  /** Who has copies made. */
  public interface Maker {
    /** Told of the bytes of copies before they are made. */
    void takes(long bytes);

    /** Does pieces 0 to n - 1 of some work, several at once. */
    void each(int n, IntConsumer piece);
  }

  /** Matrices as kernels take them. */
  final class Form {
    private final Weights weights;
    private final NativeList<NativeList<NativeList<Tensor>>> products;
    private final NativeList<NativeList<NativeList<FewRows>>> fewRows;

    private Form(Weights weights, Map<Layout.Block, NativeList<FewRows>> fewRows) {
      this.weights = weights;
      this.products = weights.allProducts(scope);
      this.fewRows = all(fewRows);
    }

    /** Those of all layers. */
    NativeList<NativeList<NativeList<Tensor>>> products() {
      return products;
    }

    /** The output embedding. */
    NativeList<Tensor> head() {
      return weights.head();
    }

    /** The forms for few rows of all layers' and, last, of the output embedding; empty lists where there is none. */
    NativeList<NativeList<NativeList<FewRows>>> fewRows() {
      return fewRows;
    }

    private NativeList<NativeList<NativeList<FewRows>>> all(Map<Layout.Block, NativeList<FewRows>> fewRows) {
      NativeList<FewRows> none = scope.kernels().noFewRows();
      List<NativeList<NativeList<FewRows>>> layers = new ArrayList<>();
      for (int i = 0; i < weights.layout().config().layers().size(); i++) {
        int layer = i;
        layers.add(scope.listOf(Arrays.stream(Product.values())
            .map(p -> fewRows.getOrDefault(new Layout.Block(layer, p, null), none)).toList()));
      }
      layers.add(scope.listOf(List.of(fewRows.getOrDefault(headBlock(weights.layout()), none))));
      return scope.listOf(layers);
    }
  }

  private DecodeWeights(Weights weights, boolean int8, Set<Layout.Block> halves, Maker maker) {
    this.original = weights;
    this.rounds = int8;
    this.halves = halves;
    this.maker = maker;
    this.taken = copiedBytes(weights, int8, 1, halves);
    maker.takes(taken);
    try {
      this.vectors = weights.allVectors(scope);
      Map<Layout.Block, NativeList<FewRows>> packs = fewRows();
      this.packed = packs.keySet();
      this.few = new Form(weights.with(scope, (block, w) -> packed.contains(block) ? w : other(block, w)), packs);
    } catch (RuntimeException | Error e) {
      scope.close();
      throw e;
    }
  }

  /**
   * Weights that the processor reads fastest, without loss.
   *
   * @param halves see {@link #halves}
   * @param maker asked while copies are made
   */
  public static DecodeWeights exact(Weights weights, Set<Layout.Block> halves, Maker maker) {
    return new DecodeWeights(weights, false, halves, maker);
  }

  /**
   * Matrices rounded to 8 bits, with a scale for each row. What chooses experts stays as it is; so does, of experts and where FBGEMM
   * is not, a matrix with a side that is no multiple of 32.
   *
   * @param maker asked while copies are made
   */
  public static DecodeWeights int8(Weights weights, Maker maker) {
    return new DecodeWeights(weights, true, Set.of(), maker);
  }

  /** The matrices that float16 holds, which takes a pass over all of them to see: those that came in 16 bits, mostly. */
  public static Set<Layout.Block> halves(Weights weights) {
    double most = weights.type() == NumberType.F32 ? LOST_F32 : LOST_BF16;
    try (Scope scope = new Scope()) {
      return matrices(weights.layout()).filter(b -> weights.weight(b) instanceof Weight.Dense w && isFewRows(b)
          && scope.kernels().lostInHalf(w.values()) <= most).collect(Collectors.toSet());
    }
  }

  /**
   * The memory that copies take for so many rows at a time, in bytes; scales of rows, a thousandth of it, are not counted.
   *
   * @param halves see {@link #halves}
   */
  public static long copiedBytes(Weights weights, boolean rounded, int rows, Set<Layout.Block> halves) {
    boolean many = isMany(weights.type(), rounded, rows);
    return matrices(weights.layout())
        .mapToLong(b -> copiedBytes(weights, b, rounded, halves) + (many ? packedBytes(weights, b) : 0)).sum();
  }

  private static Stream<Layout.Block> matrices(Layout layout) {
    return layout.blocks().stream().filter(b -> b.equals(headBlock(layout)) || b.isProduct());
  }

  private static long copiedBytes(Weights weights, Layout.Block block, boolean rounded, Set<Layout.Block> halves) {
    Weight w = weights.weight(block);
    if (isInt4(block, w, weights.type(), rounded)) {
      return w.bytes();
    }
    if (rounded) {
      return roundable(weights.layout(), block) && (!isInt8(w) || isFewRows(block)) ? block.size() : 0;
    }
    return halves.contains(block) ? halfBytes(block) : packedBytes(weights, block);
  }

  private static long packedBytes(Weights weights, Layout.Block block) {
    return Torch.get().packs(weights.type()) && weights.weight(block) instanceof Weight.Dense && !isOfExperts(block)
        ? block.size() * weights.type().size() : 0;
  }

  private static long halfBytes(Layout.Block block) {
    return 2 * up(block.shape()[0], FewRows.OUTPUTS) * up(block.shape()[1], FewRows.INPUTS);
  }

  private static long up(long n, long step) {
    return (n + step - 1) / step * step;
  }

  private static Layout.Block headBlock(Layout layout) {
    return layout.head() == null ? layout.embedding() : layout.head();
  }

  /** Whether so many rows have a form of their own. */
  private static boolean isMany(NumberType type, boolean rounded, int rows) {
    return rows > FEW && !rounded && type == NumberType.BF16 && Torch.get().fewRows() && Torch.get().packs(type);
  }

  /** FBGEMM counts the numbers of a matrix in 32 bits. */
  private static boolean isFewRows(Layout.Block block) {
    return Torch.get().fewRows() && !isOfExperts(block) && halfBytes(block) < 1L << 31;
  }

  /** FBGEMM takes each matrix's numbers one by one, on one thread. */
  private Map<Layout.Block, NativeList<FewRows>> fewRows() {
    List<Layout.Block> blocks = matrices(original.layout()).filter(this::isFewRowsHere).toList();
    Map<Layout.Block, NativeList<FewRows>> out = new HashMap<>();
    maker.each(blocks.size(), i -> {
      try (Scope own = new Scope()) {
        NativeList<FewRows> made = fewRows(own, original.weight(blocks.get(i)));
        synchronized (out) {
          out.put(blocks.get(i), scope.adopt(made, own));
        }
      }
    });
    return out;
  }

  private boolean isFewRowsHere(Layout.Block block) {
    return rounds ? isFewRows(block) && !isInt4(block, original.weight(block), original.type(), true) && roundable(original.layout(), block)
        : halves.contains(block);
  }

  private NativeList<FewRows> fewRows(Scope own, Weight w) {
    if (!rounds) {
      return own.kernels().packHalf(((Weight.Dense) w).values());
    }
    List<Tensor> codes = w.tensors();
    if (!isInt8(w)) {
      Weight.Quantised made = (Weight.Quantised) WeightForm.INT8.zeros(own, NumberType.F32, w.shape());
      made.write(0, w.shape()[0], w::dense);
      codes = made.tensors();
    }
    return own.kernels().packInt8(codes.get(0), codes.get(1));
  }

  private Weight other(Layout.Block block, Weight w) {
    if (isInt4(block, w, original.type(), rounds)) {
      return packedInt4((Weight.Quantised) w);
    }
    return rounds ? rounded(block, w) : packed(block, w);
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
    return Torch.get().packs(original.type()) && w instanceof Weight.Dense dense && !isOfExperts(block)
        ? new Weight.Packed(dense, List.of(scope.kernels().pack(dense.values(), rows()))) : w;
  }

  private Weight packedInt4(Weight.Quantised w) {
    return new Weight.Packed(w, List.of(scope.kernels().packInt4(w.tensors().get(0), w.tensors().get(1))));
  }

  private Weight rounded(Layout.Block block, Weight w) {
    if (!roundable(original.layout(), block)) {
      return w;
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

  /** Whether the kernel takes a matrix, or each expert's part of it. A router stays exact: rounded, it would choose others. */
  private static boolean roundable(Layout layout, Layout.Block block) {
    if (isFewRows(block)) {
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

  /**
   * What prompts are read with, and many rows where {@link #form} has no other: no rounded weights, but packed ones where there is
   * no form for few rows, which need no copy of each matrix in every pass.
   */
  Weights ofPrompts() {
    return rounds ? original : few.weights;
  }

  /** A weight as many rows are multiplied with it, where {@link #form} has no other. */
  Weight weight(Layout.Block block) {
    return few.weights.weight(block);
  }

  /** Whether few rows are multiplied with a matrix in 8 bits. */
  boolean isRounded(Layout.Block block) {
    return rounds && packed.contains(block) || weight(block) instanceof Weight.Quantised;
  }

  /** The bytes of the copies that there are, see {@link #copiedBytes}. */
  public long takenBytes() {
    return taken;
  }

  /** Whether the forms for few rows are rounded. */
  boolean rounded() {
    return rounds;
  }

  /** The matrices for a step with so many rows: those for few, which are right for any number, if there is no memory for others. */
  Form form(int rows) {
    if (!isMany(original.type(), rounds, rows)) {
      return few;
    }
    if (many == null) {
      long bytes = copiedBytes(original, false, rows, halves) - taken;
      try {
        maker.takes(bytes);
      } catch (NotEnoughMemoryException e) {
        return few;
      }
      taken += bytes;
      many = new Form(original.with(scope, this::packed), Map.of());
    }
    return many;
  }

  /** The vectors of all layers. */
  NativeList<NativeList<Tensor>> vectors() {
    return vectors;
  }

  @Override
  public void close() {
    scope.close();
  }
}
