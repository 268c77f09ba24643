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
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.function.IntConsumer;
import java.util.function.ToLongFunction;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The weights of a model in the forms that decoding reads fastest. Few rows are multiplied with matrices in float16 where these
 * lose nothing by it, or rounded to 8-bit integers where that was asked for; many, in bf16, with matrices that oneDNN has
 * packed. Each of the two is made when it is first needed, and done without where there is no room for it. Where FBGEMM is not,
 * oneDNN's serve any number of rows, and else the matrices as they are. Closing frees the copies; the rest is that of the weights
 * given, which must outlive this.
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
  private final List<Scope> scopes = new ArrayList<>();
  private final Weights original;
  private final boolean rounds;
  private final Set<Layout.Block> halves;
  private final Maker maker;
  private final NativeList<NativeList<Tensor>> vectors;
  /** What float16 does not hold is packed by oneDNN; the rest is as it is. */
  private final DecodeForm plain;
  private DecodeForm few;
  private DecodeForm many;
  private boolean refused;

  /** Who has copies made. */
  public interface Maker {
    /**
     * Told of the bytes of copies before they are made.
     *
     * @param meanwhile those that making them takes on each thread besides
     * @throws NotEnoughMemoryException if there is no room for them
     */
    void takes(long bytes, long meanwhile);

    /** Does pieces 0 to n - 1 of some work, several at once. */
    void each(int n, IntConsumer piece);
  }

  private DecodeWeights(Weights weights, boolean int8, Set<Layout.Block> halves, Maker maker) {
    this.original = weights;
    this.rounds = int8;
    this.halves = halves;
    this.maker = maker;
    maker.takes(bytes(b -> plainBytes(weights, b, int8, halves)), 0);
    try {
      this.vectors = weights.allVectors(scope);
      this.plain = form(scope, weights.with(scope, (block, w) -> isFewRowsHere(block) ? w : other(block, w)), Map.of());
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
    return matrices(weights.layout()).mapToLong(b -> plainBytes(weights, b, rounded, halves)
        + (isMany(weights.type(), rounded, rows) ? manyBytes(weights, b, halves) : fewBytes(weights, b, rounded, halves))).sum();
  }

  /** The same as far as it is not there yet. */
  public long missingBytes(int rows) {
    if (isMany(original.type(), rounds, rows)) {
      return many == null ? bytes(b -> manyBytes(original, b, halves)) : 0;
    }
    return few == null ? bytes(b -> fewBytes(original, b, rounds, halves)) : 0;
  }

  private long bytes(ToLongFunction<Layout.Block> of) {
    return matrices(original.layout()).mapToLong(of).sum();
  }

  private static long plainBytes(Weights weights, Layout.Block block, boolean rounded, Set<Layout.Block> halves) {
    Weight w = weights.weight(block);
    if (isFewRows(weights, block, rounded, halves)) {
      return 0;
    } else if (isInt4(block, w, weights.type(), rounded)) {
      return w.bytes();
    }
    return !rounded ? packedBytes(weights, block) : roundable(weights.layout(), block) && !isInt8(w) ? block.size() : 0;
  }

  private static long fewBytes(Weights weights, Layout.Block block, boolean rounded, Set<Layout.Block> halves) {
    return !isFewRows(weights, block, rounded, halves) ? 0 : rounded ? block.size() : halfBytes(block);
  }

  private static long manyBytes(Weights weights, Layout.Block block, Set<Layout.Block> halves) {
    return halves.contains(block) ? packedBytes(weights, block) : 0;
  }

  private static Stream<Layout.Block> matrices(Layout layout) {
    return layout.blocks().stream().filter(b -> b.equals(headBlock(layout)) || b.isProduct());
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
  private Map<Layout.Block, NativeList<FewRows>> fewRows(Scope into) {
    List<Layout.Block> blocks = matrices(original.layout()).filter(this::isFewRowsHere).toList();
    Map<Layout.Block, NativeList<FewRows>> out = new HashMap<>();
    maker.each(blocks.size(), i -> {
      try (Scope own = new Scope()) {
        NativeList<FewRows> made = fewRows(own, original.weight(blocks.get(i)));
        synchronized (out) {
          out.put(blocks.get(i), into.adopt(made, own));
        }
      }
    });
    return out;
  }

  private boolean isFewRowsHere(Layout.Block block) {
    return isFewRows(original, block, rounds, halves);
  }

  private static boolean isFewRows(Weights weights, Layout.Block block, boolean rounded, Set<Layout.Block> halves) {
    return rounded ? isFewRows(block) && !isInt4(block, weights.weight(block), weights.type(), true) && roundable(weights.layout(), block)
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

  /** What prompts are read with: no rounded weights, but packed ones where float16 does not hold them. */
  Weights ofPrompts() {
    return rounds ? original : plain.weights();
  }

  /** A weight as it is multiplied where there is no form for few rows or for many. */
  Weight weight(Layout.Block block) {
    return plain.weights().weight(block);
  }

  /** Whether few rows are multiplied with a matrix in 8 bits. */
  boolean isRounded(Layout.Block block) {
    return rounds && isFewRowsHere(block) || weight(block) instanceof Weight.Quantised;
  }

  /** Whether the forms for few rows are rounded. */
  boolean rounded() {
    return rounds;
  }

  /** The matrices for reading on in a prompt, many rows once. */
  DecodeForm reading() {
    return isMany(original.type(), rounds, Integer.MAX_VALUE) ? plain : form(1);
  }

  /** The matrices for steps with so many rows, or fewer. */
  DecodeForm form(int rows) {
    boolean isMany = isMany(original.type(), rounds, rows);
    if ((isMany ? many : few) == null && !refused) {
      try {
        maker.takes(missingBytes(rows), isMany ? 0 : meanwhile());
        if (isMany) {
          many = made(own -> form(own, original.with(own, this::ofMany), Map.of()));
        } else {
          few = made(own -> form(own, plain.weights(), fewRows(own)));
        }
      } catch (NotEnoughMemoryException e) {
        refused = true;
      }
    }
    DecodeForm form = isMany ? many : few;
    return form == null ? plain : form;
  }

  private DecodeForm form(Scope own, Weights weights, Map<Layout.Block, NativeList<FewRows>> fewRows) {
    return new DecodeForm(own, weights, headBlock(original.layout()), fewRows);
  }

  private Weight ofMany(Layout.Block block, Weight w) {
    return halves.contains(block) ? packed(block, w) : block.isProduct() ? plain.weights().weight(block) : plain.weights().headWeight();
  }

  /** A matrix is there in f32 while FBGEMM takes it. */
  private long meanwhile() {
    return Float.BYTES * matrices(original.layout()).filter(this::isFewRowsHere).mapToLong(Layout.Block::size).max().orElse(0);
  }

  /** Owned by this if it could be made. */
  private DecodeForm made(Function<Scope, DecodeForm> making) {
    Scope own = new Scope();
    try {
      DecodeForm form = making.apply(own);
      scopes.add(own);
      return form;
    } catch (RuntimeException | Error e) {
      own.close();
      throw e;
    }
  }

  /** The vectors of all layers. */
  NativeList<NativeList<Tensor>> vectors() {
    return vectors;
  }

  @Override
  public void close() {
    scopes.forEach(Scope::close);
    scopes.clear();
    scope.close();
  }
}
