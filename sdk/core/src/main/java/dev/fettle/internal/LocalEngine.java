package dev.fettle.internal;

import dev.fettle.Device;
import dev.fettle.FettleException;
import java.util.ServiceLoader;

/**
 * The engine of this machine. It comes in an artifact of its own, which names its class in {@code META-INF/services};
 * everything else knows this interface alone. Thread-safe.
 */
public interface LocalEngine {
  /** A backend that works on this machine, with this process's environment, on the device that the process computes on. */
  Backend open();

  /**
   * A backend that works on a device of this machine, with this process's environment.
   *
   * @throws dev.fettle.InvalidInputException if it cannot be had here, or this process already computes on another
   */
  Backend open(Device device);

  /**
   * Copies vectors into the engine's memory.
   *
   * @throws dev.fettle.NotEnoughMemoryException if they do not fit
   */
  VectorScan vectors(int rows, int dimensions, VectorScan.Rows source);

  /**
   * The engine on the class path.
   *
   * @param use what it is needed for, as the beginning of a sentence
   * @throws FettleException if there is none; the message names the artifact that has it
   */
  static LocalEngine find(String use) {
    return ServiceLoader.load(LocalEngine.class, LocalEngine.class.getClassLoader()).findFirst()
        .orElseThrow(() -> new FettleException(use + " needs the engine for this machine, which is not on the class path: "
            + "add dev.fettle:fettle-local to the dependencies, in the version of dev.fettle:fettle-core"));
  }
}
