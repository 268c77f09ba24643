package dev.fettle.internal.torch;

import ai.djl.pytorch.jni.IValue;

/**
 * A native list, built once and passed to kernels often; owned by a {@link Scope}. What is in it stays alive with it. Not
 * thread-safe.
 *
 * @param <T> what it holds, as kernels see it: {@link Tensor}, {@code long[]} or {@code double[]} for lists of numbers, or
 *     another list
 */
public final class NativeList<T> extends NativeValue {
  NativeList(IValue value) {
    super(value);
  }
}
