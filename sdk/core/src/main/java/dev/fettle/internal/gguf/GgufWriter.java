package dev.fettle.internal.gguf;

import dev.fettle.FettleException;
import dev.fettle.InvalidInputException;
import dev.fettle.internal.checkpoint.AtomicFiles;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.reflect.Array;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Writes a GGUF: tensors are declared, then their rows are streamed in that order, so that of a model larger than the heap no
 * more than a piece is held. Not thread-safe.
 */
public final class GgufWriter {
  /** Of the layouts of blocks. */
  private static final int QUANTISATION = 2;

  private final Path path;
  private final Metadata metadata;
  private final List<GgufTensor> tensors = new ArrayList<>();
  private long end;

  /** One for a file, with what its head will say beside the tensors. */
  public GgufWriter(Path path, Metadata metadata) {
    this.path = path;
    this.metadata = metadata;
  }

  /** What the head of each file says first. */
  public static Metadata general(String source, GgufFamily family, String kind, GgmlType type) {
    Metadata metadata = new Metadata(source).put("general.architecture", family.id()).put("general.type", kind)
        .put("general.file_type", type.fileType());
    return type.isPlain() ? metadata : metadata.put("general.quantization_version", QUANTISATION);
  }

  /** Takes the rows of one tensor, in any number of pieces. */
  public static final class Sink {
    private static final int AT_ONCE = 1 << 18;

    private final Path path;
    private final FileChannel channel;
    private final GgufTensor tensor;
    private long written;

    private Sink(Path path, FileChannel channel, GgufTensor tensor) {
      this.path = path;
      this.channel = channel;
      this.tensor = tensor;
    }

    /** Appends the first {@code count} numbers, whole rows. */
    public void put(float[] numbers, int count) throws IOException {
      int piece = (int) Math.min(count, Math.max(tensor.columns(), AT_ONCE / tensor.columns() * tensor.columns()));
      ByteBuffer bytes = ByteBuffer.allocate((int) tensor.type().bytes(piece)).order(ByteOrder.LITTLE_ENDIAN);
      float[] some = piece == count ? numbers : new float[piece];
      for (int at = 0; at < count; at += piece) {
        int length = Math.min(piece, count - at);
        if (some != numbers) {
          System.arraycopy(numbers, at, some, 0, length);
        }
        if (!Blocks.write(tensor.type(), some, length, bytes.clear())) {
          throw new InvalidInputException(path + ": tensor " + tensor.name() + " holds what is no number, or is beyond the range of "
              + tensor.type() + ": write the file as bf16 or f32" + (tensor.type().isPlain() ? "" : ", and look at the model"));
        }
        writeFully(channel, bytes.flip());
        written += tensor.type().bytes(length);
      }
    }
  }

  /** Gives the rows of the tensors, called once for each in order. */
  @FunctionalInterface
  public interface Source {
    /** Puts exactly the declared numbers into the sink. */
    void write(GgufTensor tensor, Sink sink) throws IOException;
  }

  /** Declares a tensor, the innermost dimension, a multiple of the type's block, last. */
  public GgufWriter add(String name, GgmlType type, long... shape) {
    long elements = 1;
    for (long dimension : shape) {
      elements = Math.multiplyExact(elements, dimension);
    }
    tensors.add(new GgufTensor(name, type, shape, end, type.bytes(elements)));
    end = aligned(end + type.bytes(elements));
    return this;
  }

  /** The bytes of all tensors. */
  public long bytes() {
    return tensors.stream().mapToLong(GgufTensor::bytes).sum();
  }

  /** Refuses to replace a file that is none of this format. */
  public static void requireReplaceable(Path file) {
    if (Files.isRegularFile(file) && file.toFile().length() > 0 && !GgufFile.isOne(file)) {
      throw new InvalidInputException(file + ": not replaced: it is a file of another kind than GGUF; name another one");
    }
  }

  /** Writes the file atomically: a kill leaves the old file, or none, or the new one. */
  public void write(Source source) {
    requireReplaceable(path);
    AtomicFiles.writeFile(path, channel -> {
      ByteBuffer head = head();
      long data = aligned(head.remaining());
      writeFully(channel, head);
      for (GgufTensor tensor : tensors) {
        pad(channel, data + tensor.begin());
        Sink sink = new Sink(path, channel, tensor);
        source.write(tensor, sink);
        if (sink.written != tensor.bytes()) {
          throw new FettleException(path + ": tensor " + tensor.name() + ": " + sink.written + " bytes came where "
              + tensor.bytes() + " were declared");
        }
      }
      pad(channel, data + end);
    });
  }

  private ByteBuffer head() {
    Bytes out = new Bytes();
    out.int32(GgufFile.MAGIC).int32(GgufFile.VERSION).int64(tensors.size()).int64(metadata.values().size());
    for (Map.Entry<String, Metadata.Value> entry : metadata.values().entrySet()) {
      out.text(entry.getKey()).value(entry.getValue());
    }
    for (GgufTensor tensor : tensors) {
      out.text(tensor.name()).int32(tensor.shape().length);
      for (int i = tensor.shape().length - 1; i >= 0; i--) {
        out.int64(tensor.shape()[i]);
      }
      out.int32(tensor.type().id()).int64(tensor.begin());
    }
    return ByteBuffer.wrap(out.bytes.toByteArray());
  }

  /** The head as it grows, little-endian. */
  private static final class Bytes {
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

    Bytes number(long value, int width) {
      for (int i = 0; i < width; i++) {
        bytes.write((int) (value >>> 8 * i));
      }
      return this;
    }

    Bytes int32(int value) {
      return number(value, Integer.BYTES);
    }

    Bytes int64(long value) {
      return number(value, Long.BYTES);
    }

    Bytes text(String value) {
      byte[] utf8 = value.getBytes(StandardCharsets.UTF_8);
      int64(utf8.length);
      bytes.write(utf8, 0, utf8.length);
      return this;
    }

    void value(Metadata.Value value) {
      ValueType type = value.type();
      if (!value.isArray()) {
        int32(type.ordinal()).scalar(type, value.content());
        return;
      }
      int count = Array.getLength(value.content());
      int32(ValueType.ARRAY.ordinal()).int32(type.ordinal()).int64(count);
      for (int i = 0; i < count; i++) {
        scalar(type, Array.get(value.content(), i));
      }
    }

    private void scalar(ValueType type, Object value) {
      switch (type) {
        case STRING -> text((String) value);
        case BOOL -> number((boolean) value ? 1 : 0, 1);
        case F32 -> int32(Float.floatToRawIntBits(((Number) value).floatValue()));
        case F64 -> int64(Double.doubleToRawLongBits((double) value));
        default -> number(((Number) value).longValue(), type.leastBytes());
      }
    }
  }

  private static long aligned(long offset) {
    return (offset + GgufFile.ALIGNMENT - 1) / GgufFile.ALIGNMENT * GgufFile.ALIGNMENT;
  }

  private static void pad(FileChannel channel, long to) throws IOException {
    writeFully(channel, ByteBuffer.allocate(Math.toIntExact(to - channel.position())));
  }

  private static void writeFully(FileChannel channel, ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      channel.write(bytes);
    }
  }
}
