package dev.fettle.internal.ranking;

import dev.fettle.InvalidInputException;
import dev.fettle.internal.FileErrors;
import dev.fettle.internal.LocalEngine;
import dev.fettle.internal.VectorScan;
import dev.fettle.internal.checkpoint.AtomicFiles;
import dev.fettle.internal.data.Lines;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;

/**
 * Files of vectors: {@code .npy}, NumPy's, which is a short header and then the plain floats, and {@code .fvecs}, in
 * which each vector's floats come after their number. The names of the vectors are in a text file beside it.
 */
public final class VectorFiles {
  private static final byte[] MAGIC = {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y'};
  private static final int ALIGNMENT = 64;
  private static final Pattern HEADER = Pattern.compile("'descr':\\s*'([^']*)'.*'fortran_order':\\s*(\\w+).*"
      + "'shape':\\s*\\((\\d+),\\s*(\\d+),?\\s*\\)");

  private VectorFiles() {}

  private record Layout(int rows, int dimensions, long start, int gap) {}

  /** Writes vectors, and their names into a file of the same name and {@code .ids}. */
  public static void write(Path file, VectorScan vectors, List<String> ids) {
    boolean fvecs = fvecs(file);
    for (String id : ids) {
      if (id.isEmpty() || id.indexOf('\n') >= 0 || id.indexOf('\r') >= 0) {
        throw new InvalidInputException("the name \"" + id + "\" is empty or has a line end in it: it cannot be saved");
      }
    }
    AtomicFiles.writeFile(file, channel -> {
      if (!fvecs) {
        put(channel, header(vectors.rows(), vectors.dimensions()));
      }
      for (int start = 0; start < vectors.rows(); start += VectorScan.CHUNK) {
        ByteBuffer bytes = vectors.read(start, Math.min(VectorScan.CHUNK, vectors.rows() - start));
        put(channel, fvecs ? counted(bytes, vectors.dimensions()) : bytes);
      }
    });
    AtomicFiles.writeText(names(file), String.join("\n", ids) + "\n");
  }

  /** Reads vectors. */
  public static VectorScan read(Path file) {
    boolean fvecs = fvecs(file);
    try (FileChannel channel = FileChannel.open(file)) {
      Layout layout = fvecs ? fvecs(channel, file) : npy(channel, file);
      int stride = layout.dimensions() * Float.BYTES + layout.gap();
      ByteBuffer buffer = ByteBuffer.allocateDirect(VectorScan.CHUNK * stride).order(ByteOrder.LITTLE_ENDIAN);
      return LocalEngine.find("VectorIndex").vectors(layout.rows(), layout.dimensions(), (start, count, into) -> {
        buffer.clear().limit(count * stride);
        fill(channel, buffer, layout.start() + (long) start * stride, file);
        for (int i = 0; i < count; i++) {
          if (layout.gap() > 0 && buffer.getInt(i * stride) != layout.dimensions()) {
            throw new InvalidInputException(file + ": vector " + (start + i) + " has " + buffer.getInt(i * stride)
                + " numbers, the first has " + layout.dimensions());
          }
          into.put(buffer.slice(i * stride + layout.gap(), layout.dimensions() * Float.BYTES));
        }
        finite(into, start, layout.dimensions(), file.toString());
      });
    } catch (IOException e) {
      throw FileErrors.unread(file, e);
    }
  }

  /** The names that {@link #write} saved beside the vectors; without such a file, their places. */
  public static List<String> ids(Path file, VectorScan vectors) {
    Path names = names(file);
    if (!Files.exists(names)) {
      return IntStream.range(0, vectors.rows()).mapToObj(String::valueOf).toList();
    }
    List<String> ids = new ArrayList<>();
    Lines lines = new Lines(names);
    for (String line = lines.next(); line != null; line = lines.next()) {
      ids.add(line);
    }
    if (ids.size() != vectors.rows()) {
      throw new InvalidInputException(names + " has " + ids.size() + " lines, " + file + " has " + vectors.rows()
          + " vectors: there must be one for each");
    }
    return Collections.unmodifiableList(ids);
  }

  /** Refuses vectors that have no place in an order. */
  public static void finite(ByteBuffer filled, int start, int dimensions, String where) {
    for (int i = 0; i < filled.position() / Float.BYTES; i++) {
      if (!Float.isFinite(filled.getFloat(i * Float.BYTES))) {
        throw new InvalidInputException(where + ": vector " + (start + i / dimensions) + " has the number "
            + filled.getFloat(i * Float.BYTES) + " in place " + i % dimensions);
      }
    }
  }

  private static Path names(Path file) {
    return file.resolveSibling(file.getFileName() + ".ids");
  }

  private static boolean fvecs(Path file) {
    String name = String.valueOf(file.getFileName());
    if (!name.endsWith(".npy") && !name.endsWith(".fvecs")) {
      throw new InvalidInputException(file + ": the name must end in .npy or .fvecs, which says the form");
    }
    return name.endsWith(".fvecs");
  }

  private static ByteBuffer header(int rows, int dimensions) {
    StringBuilder text = new StringBuilder("{'descr': '<f4', 'fortran_order': False, 'shape': (" + rows + ", " + dimensions
        + "), }");
    int prefix = MAGIC.length + 4;
    text.append(" ".repeat(ALIGNMENT - (prefix + text.length() + 1) % ALIGNMENT)).append('\n');
    return ByteBuffer.allocate(prefix + text.length()).order(ByteOrder.LITTLE_ENDIAN).put(MAGIC).put((byte) 1)
        .put((byte) 0).putShort((short) text.length()).put(text.toString().getBytes(StandardCharsets.US_ASCII)).flip();
  }

  private static Layout npy(FileChannel channel, Path file) throws IOException {
    ByteBuffer start = ByteBuffer.allocate(12).order(ByteOrder.LITTLE_ENDIAN);
    fill(channel, start, 0, file);
    for (int i = 0; i < MAGIC.length; i++) {
      if (start.get(i) != MAGIC[i]) {
        throw new InvalidInputException(file + " is not a NumPy file: its first bytes are others");
      }
    }
    boolean first = start.get(6) == 1;
    int length = first ? start.getShort(8) & 0xffff : Math.min(start.getInt(8), 1 << 20);
    ByteBuffer text = ByteBuffer.allocate(length);
    fill(channel, text, first ? 10 : 12, file);
    Matcher m = HEADER.matcher(new String(text.array(), StandardCharsets.ISO_8859_1));
    if (!m.find() || !m.group(1).equals("<f4") || !m.group(2).equals("False")) {
      throw new InvalidInputException(file + ": expected a matrix of 32-bit floats, row by row; found "
          + new String(text.array(), StandardCharsets.ISO_8859_1).strip());
    }
    long begin = (first ? 10L : 12L) + length;
    return layout(channel, file, Long.parseLong(m.group(3)), Long.parseLong(m.group(4)), begin, 0);
  }

  private static Layout fvecs(FileChannel channel, Path file) throws IOException {
    ByteBuffer first = ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN);
    fill(channel, first, 0, file);
    int dimensions = first.getInt(0);
    return layout(channel, file, dimensions < 1 ? 0 : channel.size() / (4L + 4L * dimensions), dimensions, 0, 4);
  }

  private static Layout layout(FileChannel channel, Path file, long rows, long dimensions, long start, int gap)
      throws IOException {
    if (rows < 1 || rows > Integer.MAX_VALUE || dimensions < 1 || dimensions > 1 << 16
        || channel.size() != start + rows * (dimensions * Float.BYTES + gap)) {
      throw new InvalidInputException(file + ": " + rows + " vectors of " + dimensions + " numbers do not make "
          + channel.size() + " bytes; the file is broken, or was not written to its end");
    }
    return new Layout((int) rows, (int) dimensions, start, gap);
  }

  private static ByteBuffer counted(ByteBuffer bytes, int dimensions) {
    int width = dimensions * Float.BYTES;
    ByteBuffer out = ByteBuffer.allocate(bytes.remaining() / width * (width + 4)).order(ByteOrder.LITTLE_ENDIAN);
    for (int at = bytes.position(); at < bytes.limit(); at += width) {
      out.putInt(dimensions).put(bytes.slice(at, width));
    }
    return out.flip();
  }

  private static void fill(FileChannel channel, ByteBuffer buffer, long start, Path file) {
    try {
      long at = start;
      while (buffer.hasRemaining()) {
        int read = channel.read(buffer, at);
        if (read < 0) {
          throw new InvalidInputException(file + " ends before its vectors do");
        }
        at += read;
      }
    } catch (IOException e) {
      throw FileErrors.unread(file, e);
    }
  }

  private static void put(FileChannel channel, ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      channel.write(bytes);
    }
  }
}
