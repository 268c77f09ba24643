package dev.fettle.internal;

import dev.fettle.Sample;

/** Is told of one sample while it is made, on the thread that makes it, which it must not hold up. */
public interface SampleListener {
  /** The prompt has been read, so many tokens of it before. */
  default void began(int cached) {}

  /** A token came. */
  void token(SampledToken token);

  /** The sample is whole. */
  void ended(Sample.StopReason reason);

  /** No more comes. */
  void failed(Throwable error);

  /** Whether nobody wants the rest. It is asked before each token; nothing is told afterwards. */
  boolean abandoned();
}
