package dev.fettle.internal.gguf;

/**
 * Where a tensor lies in a GGUF.
 *
 * @param shape its dimensions, the innermost last (files have them the other way round); not copied, do not write to it
 * @param begin its first byte, from the start of the file's data
 * @param bytes its size
 */
public record GgufTensor(String name, GgmlType type, long[] shape, long begin, long bytes) {
  /** The numbers of a row, the innermost dimension. */
  public long columns() {
    return shape[shape.length - 1];
  }

  /** The bytes of a row. */
  public long rowBytes() {
    return type.bytes(columns());
  }
}
