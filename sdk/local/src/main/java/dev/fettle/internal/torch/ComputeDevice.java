package dev.fettle.internal.torch;

import dev.fettle.Device;
import dev.fettle.FettleException;
import dev.fettle.InvalidInputException;

/** The device that this process computes on: the first one that was asked for. Thread-safe. */
public final class ComputeDevice {
  private static volatile Device settled;

  private ComputeDevice() {}

  /** The device; the processor where none was asked for. */
  public static Device get() {
    Device device = settled;
    return device == null ? Device.cpu() : device;
  }

  /**
   * Computes on a device from now on.
   *
   * @throws InvalidInputException if another was settled before, or libtorch does not know this one; nothing is changed
   */
  public static synchronized void settle(Device device) {
    // The processor is always there, and libtorch is not loaded before it is needed.
    if (!device.equals(Device.cpu())) {
      requireKnown(device);
    }
    if (settled != null && !settled.equals(device)) {
      throw new InvalidInputException(device.name() + ": this process already computes on " + settled.name()
          + ", and a process computes on one device; start another process for " + device.name());
    }
    settled = device;
  }

  private static void requireKnown(Device device) {
    try (Scope scope = new Scope(Device.cpu())) {
      scope.kernels().toDevice(scope.zeros(NumberType.F32, 1), device);
    } catch (FettleException e) {
      throw new InvalidInputException(device.name() + ": libtorch, as it is on the class path, cannot compute there; for a GPU "
          + "of NVIDIA's use ai.djl.pytorch:pytorch-native-cu128 in place of pytorch-native-cpu, on a machine that has its "
          + "driver", e);
    }
  }
}
