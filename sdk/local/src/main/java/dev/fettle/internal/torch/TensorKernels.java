package dev.fettle.internal.torch;

import dev.fettle.Device;

/** Making, reading and moving tensors, and stepping parameters: {@code tensors.py}, {@code optimizer.py}. */
interface TensorKernels {
  /** A tensor without elements. */
  Tensor emptyTensor(NumberType dtype, Device device);

  /** A copy. */
  Tensor clone(Tensor x);

  /** Zeros of a shape. */
  Tensor zeros(long[] shape, NumberType dtype, Device device);

  /** Memory of a shape with whatever is in it. */
  Tensor empty(long[] shape, NumberType dtype, Device device);

  /** One value everywhere. */
  Tensor constant(long[] shape, double value, NumberType dtype, Device device);

  /** Uniform within -bound .. bound, float32. */
  Tensor uniform(long[] shape, double bound, Device device);

  /** Normal with mean 0. */
  Tensor normal(long[] shape, double std, NumberType dtype, Device device);

  /** 1 / (1 - p) where kept, 0 where dropped. */
  Tensor dropoutMask(long[] shape, double p, NumberType dtype, Device device);

  /** Elements of a vector from {@code start} on, as a tensor of a shape that shares their memory. */
  Tensor viewSlice(Tensor flat, long start, long[] shape);

  /** Rows of a matrix or vector, sharing its memory. */
  Tensor rows(Tensor x, long start, long count);

  /** Columns of a matrix, sharing its memory. */
  Tensor columns(Tensor x, long start, long count);

  /** Copies of the rows that {@code index} names. */
  Tensor selectRows(Tensor x, Tensor index);

  /** All elements as a vector that shares their memory. */
  Tensor flat(Tensor x);

  /** Two tensors one after the other along a dimension. */
  Tensor joined(Tensor x, Tensor y, long dimension);

  /** Elements of {@code x} from {@code start} on as raw bytes of a number type. */
  Tensor load(Tensor x, NumberType dtype, long start, long count);

  /** The same numbers in another type. */
  Tensor cast(Tensor x, NumberType dtype);

  /** Overwrites {@code into}. */
  void copy(Tensor into, Tensor x);

  /** Overwrites {@code into} with as many elements of a vector from {@code start} on. */
  void copyFrom(Tensor into, Tensor x, long start);

  /** Overwrites {@code into} with {@code factor x}. */
  void scaled(Tensor into, Tensor x, double factor);

  /** Overwrites rows of a table. */
  void replaceRows(Tensor table, Tensor index, Tensor by);

  /** Sets all elements to 0. */
  void zero(Tensor x);

  /** Adds {@code x} to {@code into}, then sets {@code x} to 0. */
  void addAndClear(Tensor into, Tensor x);

  /** {@code x + factor y}, float32. */
  Tensor plus(Tensor x, Tensor y, double factor);

  /** How many elements of two tensors differ. */
  double differences(Tensor x, Tensor y);

  /** The root of the sum of squares. */
  double l2Norm(Tensor g);

  /** Lists of so many of the tensors of a flat list in turn. */
  NativeList<NativeList<Tensor>> nest(NativeList<Tensor> flat, long[] counts);

  /** Lists of {@code count} of the lists of a flat list in turn. */
  NativeList<NativeList<NativeList<Tensor>>> nestLists(NativeList<NativeList<Tensor>> flat, long count);

  /** Lists of so many of the numbers of a flat list in turn. */
  NativeList<long[]> nestInts(long[] flat, long[] counts);

  /** The same of floating-point numbers. */
  NativeList<double[]> nestFloats(double[] flat, long[] counts);

  /** A tensor on a device; the same one if it is there. */
  Tensor toDevice(Tensor x, Device device);

  /**
   * A step of AdamW, as {@code torch.optim.AdamW} takes it, of {@code count} elements of flat float32 vectors from
   * {@code start} on, as far as a piece of the gradient covers them.
   *
   * @param values the parameters
   * @param gradient the piece, whose first element is that of the vectors at {@code offset}
   * @param first the first moment
   * @param second the second moment
   * @param clip what the gradient is multiplied with beforehand
   * @param clear whether the gradient is zeroed as it is read
   */
  void adamw(Tensor values, Tensor gradient, Tensor first, Tensor second, long start, long count, long offset, double lr,
      double beta1, double beta2, double eps, double decay, long step, double clip, boolean clear);
}
