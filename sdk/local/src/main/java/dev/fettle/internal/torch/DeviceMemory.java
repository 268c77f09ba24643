package dev.fettle.internal.torch;

import ai.djl.engine.EngineException;
import ai.djl.pytorch.jni.JniUtils;
import ai.djl.util.cuda.CudaUtils;
import dev.fettle.Device;
import dev.fettle.internal.Linux;
import java.lang.management.MemoryUsage;
import java.util.OptionalLong;

/** What a device has left, as the device itself says: the system of the processor, the driver of a GPU. */
final class DeviceMemory {
  private DeviceMemory() {}

  /** Bytes that may be allocated on a device; empty where it does not say. */
  static OptionalLong free(Device device) {
    return device.equals(Device.cpu()) ? Linux.HERE.availableBytes() : ofGpu(device);
  }

  /** Gives what was freed there and kept for later back to the device. */
  static void giveBack(Device device) {
    if (device.equals(Device.cpu())) {
      NativeEnvironment.giveBack();
    } else {
      JniUtils.emptyCudaCache();
    }
  }

  private static OptionalLong ofGpu(Device device) {
    int number = Integer.parseInt(device.name().substring(device.name().indexOf(':') + 1));
    try {
      MemoryUsage usage = CudaUtils.getGpuMemory(ai.djl.Device.gpu(number));
      return OptionalLong.of(usage.getMax() - usage.getCommitted());
    } catch (IllegalArgumentException | EngineException e) {
      return OptionalLong.empty();
    }
  }
}
