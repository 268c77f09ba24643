package dev.fettle.internal.gguf;

import dev.fettle.FettleException;
import dev.fettle.InvalidInputException;
import dev.fettle.UnsupportedModelException;
import dev.fettle.internal.FileErrors;
import dev.fettle.internal.checkpoint.Mapped;
import dev.fettle.internal.checkpoint.Quote;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * A GGUF, of whose tensors pieces are memory-mapped. All that its head says is checked against the file's size by {@link #open}.
 * Thread-safe; whoever opens it closes it. The file must not be shortened while it is open.
 */
public final class GgufFile implements AutoCloseable {
  /** What a file begins with: "GGUF". */
  static final int MAGIC = 0x46554747;
  static final int VERSION = 3;
  static final int ALIGNMENT = 32;
  static final String ALIGNED = "general.alignment";
  static final int MAX_DIMENSIONS = 4;
  private static final int MAX_ALIGNMENT = 1 << 20;
  /** A name of no length, one dimension, a type, an offset. */
  private static final int LEAST_TENSOR = 8 + 4 + 8 + 4 + 8;
  private static final int LEAST_PAIR = 8 + 4 + 1;

  private final Path path;
  private final FileChannel channel;
  private final Metadata metadata;
  private final Map<String, GgufTensor> tensors;
  private final long data;
  private final BasicFileAttributes opened;

  private GgufFile(Path path, FileChannel channel, BasicFileAttributes opened, Metadata metadata, Map<String, GgufTensor> tensors,
      long data) {
    this.path = path;
    this.opened = opened;
    this.channel = channel;
    this.metadata = metadata;
    this.tensors = Collections.unmodifiableMap(tensors);
    this.data = data;
  }

  /**
   * Opens a file.
   *
   * @throws InvalidInputException if it is missing, or what its head says cannot be true of it
   * @throws UnsupportedModelException if a tensor is of a type that is not read; names both
   */
  public static GgufFile open(Path path) {
    Objects.requireNonNull(path, "path");
    try {
      FileChannel channel = FileChannel.open(path, StandardOpenOption.READ);
      try {
        return read(path, channel);
      } catch (Throwable e) {
        channel.close();
        throw e;
      }
    } catch (IOException e) {
      throw FileErrors.unread(path, e);
    }
  }

  /** Whether a file begins as a GGUF does. */
  public static boolean isOne(Path path) {
    if (!Files.isRegularFile(path)) {
      return false;
    }
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
      ByteBuffer first = ByteBuffer.allocate(Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN);
      return channel.read(first) == Integer.BYTES && first.getInt(0) == MAGIC;
    } catch (IOException e) {
      throw FileErrors.unread(path, e);
    }
  }

  private static GgufFile read(Path path, FileChannel channel) throws IOException {
    long size = channel.size();
    HeaderReader head = new HeaderReader(path, channel, size);
    if (size < Integer.BYTES || head.int32("the first word") != MAGIC) {
      throw new InvalidInputException(path + ": is no GGUF: it does not begin with these four letters");
    }
    int version = head.int32("the version");
    if (version != VERSION && version != 2) {
      throw new UnsupportedModelException(path + ": is of version " + Integer.toUnsignedString(version) + " of GGUF; 2 and 3, "
          + "little-endian, are read");
    }
    int tensorCount = head.count("tensors", LEAST_TENSOR);
    int pairs = head.count("keys", LEAST_PAIR);
    Metadata metadata = new Metadata(path.toString());
    for (int i = 0; i < pairs; i++) {
      String key = head.key("key " + (i + 1) + " of the metadata");
      Metadata.Value value = head.value(Quote.line(key));
      if (metadata.values().put(key, value) != null) {
        throw new InvalidInputException(path + ": the key " + Quote.line(key) + " is there twice");
      }
    }
    int alignment = metadata.whole(ALIGNED, 1, MAX_ALIGNMENT).orElse(ALIGNMENT);
    Map<String, GgufTensor> tensors = new LinkedHashMap<>();
    for (int i = 0; i < tensorCount; i++) {
      GgufTensor tensor = tensor(path, head, alignment);
      if (tensors.put(tensor.name(), tensor) != null) {
        throw new InvalidInputException(path + ": tensor " + Quote.line(tensor.name()) + " is there twice");
      }
    }
    long data = (head.position() + alignment - 1) / alignment * alignment;
    requireWithin(path, tensors, size - data);
    return new GgufFile(path, channel, Files.readAttributes(path, BasicFileAttributes.class), metadata, tensors, data);
  }

  private static GgufTensor tensor(Path path, HeaderReader head, int alignment) throws IOException {
    String name = head.key("a tensor's name");
    String where = path + ": tensor " + Quote.line(name) + ": ";
    int dimensions = head.int32("the dimensions of " + Quote.line(name));
    if (dimensions < 1 || dimensions > MAX_DIMENSIONS) {
      throw new InvalidInputException(where + "has " + Integer.toUnsignedString(dimensions) + " dimensions; 1 to "
          + MAX_DIMENSIONS + " are possible");
    }
    long[] shape = new long[dimensions];
    for (int i = dimensions - 1; i >= 0; i--) {
      shape[i] = head.int64("the shape of " + Quote.line(name));
      if (shape[i] < 1) {
        throw new InvalidInputException(where + "a dimension of its shape is " + shape[i] + "; it must be 1 or more");
      }
    }
    int id = head.int32("the type of " + Quote.line(name));
    GgmlType type = GgmlType.of(id).orElseThrow(() -> new UnsupportedModelException(where + "is " + GgmlType.name(id)
        + "; the types are F32, F16, BF16, Q8_0, Q4_0, Q4_K and Q6_K. Another quantisation of the model may have those alone"));
    long begin = head.int64("the offset of " + Quote.line(name));
    if (begin < 0 || begin % alignment != 0) {
      throw new InvalidInputException(where + "begins at byte " + Long.toUnsignedString(begin) + " of the data, which is no multiple of "
          + alignment);
    }
    if (shape[dimensions - 1] % type.block() != 0) {
      throw new InvalidInputException(where + "its rows of " + shape[dimensions - 1] + " are no multiple of the " + type.block()
          + " numbers of a block of " + type);
    }
    try {
      long elements = 1;
      for (long dimension : shape) {
        elements = Math.multiplyExact(elements, dimension);
      }
      return new GgufTensor(name, type, shape, begin, type.bytes(elements));
    } catch (ArithmeticException e) {
      throw new InvalidInputException(where + "its shape overflows 64 bits", e);
    }
  }

  private static void requireWithin(Path path, Map<String, GgufTensor> tensors, long available) {
    List<GgufTensor> order = new ArrayList<>(tensors.values());
    order.sort(Comparator.comparingLong(GgufTensor::begin));
    long end = 0;
    for (GgufTensor tensor : order) {
      String where = path + ": tensor " + Quote.line(tensor.name()) + ": ";
      if (tensor.begin() < end) {
        throw new InvalidInputException(where + "overlaps the one before it");
      }
      if (tensor.bytes() > available - tensor.begin()) {
        throw new InvalidInputException(where + "its " + tensor.bytes() + " bytes from byte " + tensor.begin() + " of the data on "
            + "reach beyond the file's " + Math.max(0, available) + "; truncated? Download or write it again");
      }
      end = tensor.begin() + tensor.bytes();
    }
  }

  /** The file. */
  public Path path() {
    return path;
  }

  /** What its head says. */
  public Metadata metadata() {
    return metadata;
  }

  /** All tensors by name, in the order of the head. */
  public Map<String, GgufTensor> tensors() {
    return tensors;
  }

  /** Maps so many rows of a tensor of this file: direct, read-only, little-endian. */
  public ByteBuffer rows(GgufTensor tensor, long from, int count) {
    try {
      return channel.map(FileChannel.MapMode.READ_ONLY, data + tensor.begin() + from * tensor.rowBytes(), count * tensor.rowBytes())
          .order(ByteOrder.LITTLE_ENDIAN);
    } catch (IOException e) {
      throw new FettleException(path + ": cannot map tensor " + tensor.name() + ": " + FileErrors.reason(path, e), e);
    }
  }

  /**
   * The numbers of so many rows.
   *
   * @throws InvalidInputException if a block's scale is no number
   */
  public float[] numbers(GgufTensor tensor, long from, int count) {
    float[] numbers = new float[Math.toIntExact(count * tensor.columns())];
    ByteBuffer rows = rows(tensor, from, count);
    Blocks.read(tensor.type(), rows, numbers);
    Mapped.release(rows);
    for (int i = 0; !tensor.type().isPlain() && i < numbers.length; i++) {
      if (!Float.isFinite(numbers[i])) {
        throw new InvalidInputException(path + ": tensor " + tensor.name() + ": a block of row " + (from + i / tensor.columns())
            + " has a scale that is no finite number; download or write the file again");
      }
    }
    return numbers;
  }

  /** The file, if something was written into it since it was opened. */
  public Optional<Path> changed() {
    try {
      BasicFileAttributes now = Files.readAttributes(path, BasicFileAttributes.class);
      boolean same = now.size() == opened.size() && now.lastModifiedTime().equals(opened.lastModifiedTime());
      return same || !Objects.equals(now.fileKey(), opened.fileKey()) ? Optional.empty() : Optional.of(path);
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  @Override
  public void close() {
    FileErrors.close(path, channel);
  }

  @Override
  public String toString() {
    return "GgufFile[" + path.getFileName() + ", " + tensors.size() + " tensors]";
  }
}
