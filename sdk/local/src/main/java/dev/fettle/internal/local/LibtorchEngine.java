package dev.fettle.internal.local;

import dev.fettle.Device;
import dev.fettle.internal.Backend;
import dev.fettle.internal.LocalEngine;
import dev.fettle.internal.VectorScan;
import dev.fettle.internal.torch.ComputeDevice;

/** libtorch on this machine. */
public final class LibtorchEngine implements LocalEngine {
  @Override
  public Backend open() {
    return new LocalBackend();
  }

  @Override
  public Backend open(Device device) {
    if (device.equals(Device.cpu())) {
      ComputeDevice.settle(device);
    } else {
      EngineThread.get().run(() -> ComputeDevice.settle(device));
    }
    return open();
  }

  @Override
  public VectorScan vectors(int rows, int dimensions, VectorScan.Rows source) {
    return VectorStore.of(rows, dimensions, source);
  }
}
