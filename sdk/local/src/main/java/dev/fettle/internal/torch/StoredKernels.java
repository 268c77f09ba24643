package dev.fettle.internal.torch;

/** Weights of checkpoints that are quantised already: {@code stored.py}. */
interface StoredKernels {
  /** The largest magnitude; not a number where an element is none. */
  double largest(Tensor x);

  /**
   * Numbers that bitsandbytes stored in blocks of the whole tensor, float32.
   *
   * @param codes bytes, two numbers in each
   * @param length of a block
   * @param count of numbers
   */
  Tensor inLongBlocks(Tensor codes, Tensor levels, Tensor scales, long length, long count);

  /** Scales that are in 8 bits too, float32. */
  Tensor unnested(Tensor steps, Tensor levels, Tensor factors, long length, double mean);

  /** Multiplies numbers [outputs, inputs] with a scale for each block of so many rows and columns. */
  Tensor scaledBlocks(Tensor w, Tensor scales, long rows, long columns);

  /** Eight numbers of 4 bits from each 32-bit integer, along its rows or its columns. */
  Tensor unpacked(Tensor x, long[] shifts, boolean columns);

  /** Codes [outputs, inputs / 2], scales [outputs, groups] and what each block adds, from [inputs, outputs] and [groups, outputs]. */
  Tensor[] packedParts(Tensor codes, Tensor zeros, Tensor scales);

  /** The same as numbers [outputs, inputs], with the group of each input. */
  Tensor packedDense(Tensor codes, Tensor zeros, Tensor scales, Tensor groups);
}
