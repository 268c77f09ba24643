package dev.fettle.internal.local;

import dev.fettle.internal.Backend;
import dev.fettle.internal.LocalEngine;
import dev.fettle.internal.VectorScan;

/** libtorch on this machine's processor. */
public final class LibtorchEngine implements LocalEngine {
  @Override
  public Backend open() {
    return new LocalBackend();
  }

  @Override
  public VectorScan vectors(int rows, int dimensions, VectorScan.Rows source) {
    return VectorStore.of(rows, dimensions, source);
  }
}
