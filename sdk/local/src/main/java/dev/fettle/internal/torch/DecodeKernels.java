package dev.fettle.internal.torch;

/** One token at a time, and how it is chosen: {@code decode.py}, {@code sampling.py}. */
interface DecodeKernels {
  /**
   * The logits [sequences, vocabulary], float32, after one new token of each sequence, or [tokens, vocabulary] after each of
   * several of the one sequence that there is.
   *
   * @param at where each new token stands
   * @param level whether all stand at {@code used} - 1
   * @param finalNorm weight and eps
   * @param w weights of each layer by {@link Product}
   * @param few the forms for few rows of the same and, last, of the output embedding; empty lists where there is none
   * @param rounded whether these are in 8 bits
   * @param v vectors of each layer by {@link LayerVector}
   * @param a adapters of each layer by {@link Product}; where sequences have several, see {@code stacked_adapters}
   * @param cache keys and values of each layer: [sequences, 2 kv heads, room, dim], or its state: [sequences, value heads x key dim,
   *     value dim], float32; then for each layer the tokens that its convolution reads again: [sequences, tokens, channels]
   * @param cos of all positions, for each way of rotating; empty where nothing is rotated
   * @param ropes which of these ways each layer has
   * @param used positions of the cache that are looked at
   * @param outer see {@link OuterNumbers#reals}
   */
  Tensor decodeStep(long[] tokens, long[] at, boolean level, NativeList<Tensor> embedding, NativeList<Tensor> finalNorm,
      NativeList<Tensor> head, NativeList<NativeList<NativeList<Tensor>>> w, NativeList<NativeList<NativeList<FewRows>>> few,
      boolean rounded, NativeList<NativeList<Tensor>> v, NativeList<NativeList<NativeList<Tensor>>> a, NativeList<Tensor> cache,
      NativeList<Tensor> cos, NativeList<Tensor> sin, long[] ropes, long used, NativeList<long[]> dims, NativeList<double[]> reals,
      double[] outer);

  /**
   * Adapters of one product as two tensors: A's [adapters, rank, inputs] and B's [adapters, outputs, rank].
   *
   * @param b the blocks of each, see {@link LinearKernels#placeBlocks}
   * @param which their places among {@code n}; what no adapter is in are zeros
   */
  Tensor[] stackAdapters(NativeList<Tensor> a, NativeList<Tensor> b, NativeList<long[]> blocks, long[] which, long n, long outputs);

  /** Copies what a prompt, rows from {@code first} on, leaves in a layer into the places of {@code count} sequences in its caches. */
  void cacheFill(NativeList<Tensor> saved, long first, long length, NativeList<Tensor> v, long[] dims, Tensor cache, Tensor convolved,
      long sequence, long count);

  /** The cache of some sequences, with room for so many tokens. */
  NativeList<Tensor> cacheKeep(NativeList<Tensor> cache, Tensor sequences, long room);

  /** The caches of sequences and after them those of others, with room for so many tokens. */
  NativeList<Tensor> cacheJoin(NativeList<Tensor> cache, NativeList<Tensor> others, long room);

  /** The next token of each row, and its logprob under the model itself; {@code u}: uniform random numbers. */
  Tensor[] sampleToken(Tensor logits, Tensor u, double temperature, long k, double p);

  /** The k likeliest tokens of each row of log probabilities, the likeliest first, and theirs. */
  Tensor[] likeliest(Tensor l, long k);

  /** The log probabilities of some tokens, {@code ids}: [rows, some], of each row. */
  Tensor logprobsOf(Tensor l, Tensor ids);
}
