package dev.fettle.internal.torch;

/** Weights and adapters of linear layers: {@code processor.py}, {@code weight.py}, {@code quantised.py}, {@code linear.py}. */
interface LinearKernels {
  /** A dense matrix in oneDNN's order for so many rows, which oneDNN alone can read. */
  Tensor pack(Tensor w, long rows);

  /** Adds {@code x} to {@code into}, or overwrites it. */
  void addTo(Tensor into, Tensor x, boolean overwrite);

  /** A dense matrix [outputs, inputs] as 8-bit integers and a scale [outputs] of a type for each row. */
  Tensor[] quantiseRows(Tensor w, NumberType dtype);

  /** The same in 4 bits: codes [outputs, inputs / 2], and a scale [outputs, blocks] for each block, float32. */
  Tensor[] quantiseBlocks(Tensor w, Tensor levels, long length);

  /** Such scales in 8 bits [outputs, blocks], and for 256 of them in turn a factor and a mean. */
  Tensor[] nestScales(Tensor scales, Tensor levels);

  /** 8-bit integers and a scale for each row, for products with numbers of any type. */
  NativeList<FewRows> packInt8(Tensor codes, Tensor scales);

  /** A dense matrix in float16, for products with numbers of any type. */
  NativeList<FewRows> packHalf(Tensor w);

  /** How much of a dense matrix float16 loses, as a share of its length; infinite or no number where it does not reach. */
  double lostInHalf(Tensor w);

  /** Where there is none. */
  NativeList<FewRows> noFewRows();

  /** {@code x w^T} from a form for few rows, or from the weight, whose type {@code dtype} is, where there is none. */
  Tensor decodingProduct(Tensor x, NativeList<Tensor> w, NativeList<FewRows> few, boolean rounded, NumberType dtype);

  /** 4-bit integers and their scales, float32, in blocks of 32, in the order in which the processor's kernel reads them. */
  Tensor[] packInt4(Tensor codes, Tensor scales);

  /** Rows of a quantised matrix as numbers. */
  Tensor denseRows(NativeList<Tensor> w, long start, long count, NumberType dtype);

  /**
   * Writes A and s B where the product reads them.
   *
   * @param flatA [rank, inputs]
   * @param flatB the B's of the projections, one after the other
   * @param blocks rows and rank of each projection in turn
   * @param scales s of each projection
   * @param a [rank, inputs]
   * @param sb [outputs, rank]
   */
  void adapterRefresh(Tensor flatA, Tensor flatB, long[] blocks, double[] scales, Tensor a, Tensor sb);

  /**
   * Writes blocks that lie one after the other, times a scale each, on a diagonal [outputs, rank]; those that come after its last row
   * stand beside the first ones.
   *
   * @param blocks rows and rank of each in turn
   */
  void placeBlocks(Tensor flatB, long[] blocks, double[] scales, Tensor sb);

  /** Reads such blocks off a diagonal. */
  void gatherBlocks(Tensor sb, long[] blocks, Tensor flatB);

  /**
   * What {@link #adapterRefresh} does, of n experts, all of one rank and scale.
   *
   * @param flatA [n rank, inputs]
   * @param flatB [outputs, rank, n]
   * @param a [n rank, inputs]
   * @param sb [n outputs, rank]
   */
  void expertsAdapterRefresh(Tensor flatA, Tensor flatB, long n, double scale, Tensor a, Tensor sb);

  /** The B [outputs, rank] of one of n experts, of all of them, [outputs, rank x n]. */
  Tensor expertsB(Tensor b, long e, long n);

  /** Writes a part of the B of one of n experts, from an output and a rank on. */
  void placeExpertsB(Tensor part, Tensor into, long e, long n, long row, long rank);

  /** Writes magnitude / norm and 1 / norm, [outputs], of a product's rows, some of which are made dense at a time. */
  void gainRefresh(NativeList<Tensor> w, Tensor a, Tensor sb, Tensor magnitude, long[] blocks, Tensor gain, Tensor inverse);

  /** Writes a product's bias with the trained ones added; {@code base} may be empty. */
  void biasRefresh(Tensor base, Tensor trained, long[] blocks, double[] scales, Tensor bias);

  /** The lengths of the rows of {@code w + sb a}, float32. */
  Tensor rowNorms(Tensor w, Tensor a, Tensor sb);

  /** Rows of a matrix times a gain each. */
  Tensor scaleRows(Tensor x, Tensor gain);

  /** A [r, inputs] and B [outputs, r] whose product, times {@code scale}, is the best of rank r to {@code w}. */
  Tensor[] pissaInit(Tensor w, long r, double scale);

  /** A [r, inputs] and B [outputs, r] from the first columns of the QR decomposition of {@code w}. */
  Tensor[] oloraInit(Tensor w, long r);

  /** {@code w + scale b a}, float32. */
  Tensor merged(Tensor w, Tensor a, Tensor b, double scale);

  /** The same with rows of the lengths given. */
  Tensor mergedMagnitude(Tensor merged, Tensor magnitude);
}
