package dev.fettle.internal.checkpoint;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.Objects;

/**
 * Where a tensor lies in a safetensors file; only {@link SafetensorsFile} and {@link SafetensorsWriter} make them, so
 * the numbers agree with one another and with the file.
 *
 * @param file the file that holds it
 * @param name its name in the header
 * @param type its number type
 * @param shape its dimensions, empty for a scalar; not copied, do not write to it
 * @param begin its first byte, counted from the start of the file's data section
 * @param bytes its size: elements times bytes of one element
 */
public record StoredTensor(Path file, String name, StoredType type, long[] shape, long begin, long bytes) {
  /** Number of elements: the product of the shape, 1 for a scalar. */
  public long elements() {
    return bytes / type.size();
  }

  /** Whether the shape is the given one. */
  public boolean hasShape(long... expected) {
    return Arrays.equals(shape, expected);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof StoredTensor that
        && file.equals(that.file)
        && name.equals(that.name)
        && type == that.type
        && Arrays.equals(shape, that.shape)
        && begin == that.begin
        && bytes == that.bytes;
  }

  @Override
  public int hashCode() {
    return Objects.hash(file, name, begin);
  }

  @Override
  public String toString() {
    return name + " " + type + Arrays.toString(shape);
  }
}
