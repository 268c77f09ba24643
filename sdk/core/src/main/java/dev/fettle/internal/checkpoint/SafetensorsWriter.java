package dev.fettle.internal.checkpoint;

import dev.fettle.FettleException;
import dev.fettle.InvalidInputException;
import dev.fettle.internal.json.ObjectNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * Writes a safetensors file: first all tensors are declared, then their bytes are streamed, so that a model larger
 * than the heap can be written. Tensors lie in the file by falling element size and, within one size, as declared: so
 * each begins at a multiple of its element size, as the Python library requires. Not thread-safe.
 */
public final class SafetensorsWriter {
  private static final int ALIGNMENT = 8;

  private final Map<String, Declared> declared = new LinkedHashMap<>();
  private Map<String, String> metadata = Map.of("format", "pt");

  private record Declared(String name, StoredType type, long[] shape, long bytes) {}

  /** Takes the bytes of one tensor, in any number of pieces. */
  @FunctionalInterface
  public interface Sink {
    /** Appends the bytes from position to limit, which must be little-endian numbers; the buffer is then empty. */
    void put(ByteBuffer bytes) throws IOException;
  }

  /** Gives the bytes of the tensors, called once for each in file order. */
  @FunctionalInterface
  public interface Source {
    /** Puts exactly {@code tensor.bytes()} bytes into the sink. */
    void write(StoredTensor tensor, Sink sink) throws IOException;
  }

  /** Replaces the metadata, by default {@code format=pt}, which transformers asks for. */
  public SafetensorsWriter metadata(Map<String, String> values) {
    metadata = Map.copyOf(values);
    return this;
  }

  /**
   * Declares a tensor.
   *
   * @throws InvalidInputException if the name is taken or reserved, or a dimension is negative
   */
  public SafetensorsWriter add(String name, StoredType type, long... shape) {
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(type, "type");
    String where = "tensor " + Quote.line(name) + ": ";
    for (long dimension : shape) {
      if (dimension < 0) {
        throw new InvalidInputException(where + "dimension " + dimension + " is negative");
      }
    }
    if (name.equals(SafetensorsHeader.METADATA) || declared.containsKey(name)) {
      throw new InvalidInputException(where + "the name is already taken");
    }
    declared.put(name, new Declared(name, type, shape.clone(), SafetensorsHeader.byteSize(where, shape, type)));
    return this;
  }

  /** Writes the file atomically: a kill leaves the old file, or none, or the new one. */
  public void write(Path file, Source source) {
    Objects.requireNonNull(source, "source");
    AtomicFiles.writeFile(file, channel -> stream(file, channel, source));
  }

  private void stream(Path file, FileChannel channel, Source source) throws IOException {
    List<StoredTensor> tensors = layout(file);
    writeFully(channel, header(file, tensors));
    for (StoredTensor tensor : tensors) {
      long[] left = {tensor.bytes()};
      source.write(
          tensor,
          bytes -> {
            left[0] -= bytes.remaining();
            if (left[0] < 0) {
              throw new FettleException(
                  file + ": tensor " + tensor.name() + ": " + -left[0] + " bytes more than the " + tensor.bytes()
                      + " declared");
            }
            writeFully(channel, bytes);
          });
      if (left[0] != 0) {
        throw new FettleException(
            file + ": tensor " + tensor.name() + ": " + left[0] + " of the " + tensor.bytes()
                + " declared bytes did not come");
      }
    }
  }

  private List<StoredTensor> layout(Path file) {
    List<Declared> order = new ArrayList<>(declared.values());
    order.sort(Comparator.comparingInt((Declared entry) -> entry.type.size()).reversed());
    List<StoredTensor> tensors = new ArrayList<>();
    long begin = 0;
    for (Declared entry : order) {
      tensors.add(new StoredTensor(file, entry.name, entry.type, entry.shape, begin, entry.bytes));
      begin = Math.addExact(begin, entry.bytes);
    }
    return tensors;
  }

  private ByteBuffer header(Path file, List<StoredTensor> tensors) {
    ObjectNode root = new ObjectNode();
    ObjectNode strings = root.putObject(SafetensorsHeader.METADATA);
    metadata.forEach(strings::put);
    for (StoredTensor tensor : tensors) {
      ObjectNode entry = root.putObject(tensor.name());
      entry.put("dtype", tensor.type().name());
      var shape = entry.putArray("shape");
      for (long dimension : tensor.shape()) {
        shape.add(dimension);
      }
      entry.putArray("data_offsets").add(tensor.begin()).add(tensor.begin() + tensor.bytes());
    }
    byte[] json = StrictJson.compact(root).getBytes(StandardCharsets.UTF_8);
    int padded = (json.length + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if (padded > SafetensorsHeader.MAX_BYTES) {
      throw new InvalidInputException(file + ": a header of " + padded + " bytes is above the limit of the format");
    }
    ByteBuffer header = ByteBuffer.allocate(Long.BYTES + padded).order(ByteOrder.LITTLE_ENDIAN);
    header.putLong(padded).put(json);
    while (header.hasRemaining()) {
      header.put((byte) ' ');
    }
    return header.flip();
  }

  private static void writeFully(FileChannel channel, ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      channel.write(bytes);
    }
  }
}
