package dev.fettle;

import java.util.Objects;

/**
 * Where a model computes. The processor is what has been tested; other devices are prepared in the library's kernels and have
 * not been tried. Immutable.
 */
public final class Device {
  private static final Device CPU = new Device("cpu");

  private final String name;

  private Device(String name) {
    this.name = name;
  }

  /** This machine's processor. */
  public static Device cpu() {
    return CPU;
  }

  /**
   * A GPU of NVIDIA's, for which a build of libtorch with CUDA must be on the class path. Prepared, not tested.
   *
   * @throws InvalidInputException if the number is negative
   */
  public static Device cuda(int number) {
    if (number < 0) {
      throw new InvalidInputException("cuda(" + number + "): the first device is 0");
    }
    return new Device("cuda:" + number);
  }

  /** As PyTorch names it, such as {@code cpu} or {@code cuda:0}. */
  public String name() {
    return name;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Device d && d.name.equals(name);
  }

  @Override
  public int hashCode() {
    return Objects.hash(name);
  }

  @Override
  public String toString() {
    return "Device[" + name + "]";
  }
}
