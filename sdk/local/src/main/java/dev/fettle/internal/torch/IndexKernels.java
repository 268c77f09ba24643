package dev.fettle.internal.torch;

/** Exact search among vectors: {@code index.py}. */
interface IndexKernels {
  /** Writes 8-bit codes, scales, errors and norms of rows. */
  void indexRows(Tensor vectors, long start, long count, Tensor codes, Tensor scales, Tensor errors, Tensor norms);

  /** The vectors that can be among the k best of each query, one query's after the other's, and how many each has. */
  Tensor[] indexCandidates(Tensor codes, Tensor scales, Tensor errors, Tensor norms, Tensor sums, Tensor score, Tensor lower,
      Tensor queries, long dimensions, long k);
}
