package dev.fettle.internal.serve;

import dev.fettle.internal.checkpoint.OpenDirectory;
import dev.fettle.internal.checkpoint.OpenFile;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** The files of a directory as a tar archive (POSIX ustar), with the empty file at its end that says it is whole. */
final class Tar {
  private static final int BLOCK = 512;
  private static final String MARKER = "checkpoint_complete";

  private Tar() {}

  private static List<OpenFile> files(OpenDirectory directory) {
    return directory.files().stream().filter(file -> !name(file).startsWith(".")).toList();
  }

  private static String name(OpenFile file) {
    return file.path().getFileName().toString();
  }

  /** How many bytes the archive has. */
  static long size(OpenDirectory directory) {
    return 3L * BLOCK + files(directory).stream().mapToLong(file -> BLOCK + padded(file.size())).sum();
  }

  private static long padded(long size) {
    return (size + BLOCK - 1) / BLOCK * BLOCK;
  }

  static void write(OpenDirectory directory, OutputStream out) throws IOException {
    for (OpenFile file : files(directory)) {
      out.write(header(name(file), file.size()));
      file.writeTo(out);
      out.write(new byte[(int) (padded(file.size()) - file.size())]);
    }
    out.write(header(MARKER, 0));
    out.write(new byte[2 * BLOCK]);
  }

  private static byte[] header(String name, long size) {
    byte[] block = new byte[BLOCK];
    put(block, 0, name);
    put(block, 100, "0000644");
    put(block, 108, "0000000");
    put(block, 116, "0000000");
    if (size < 1L << 33) {
      put(block, 124, String.format("%011o", size));
    } else {
      block[124] = (byte) 0x80;
      for (int i = 0; i < 8; i++) {
        block[135 - i] = (byte) (size >>> 8 * i);
      }
    }
    put(block, 136, "00000000000");
    put(block, 148, "        ");
    put(block, 156, "0");
    put(block, 257, "ustar");
    put(block, 263, "00");
    int sum = 0;
    for (byte b : block) {
      sum += b & 0xff;
    }
    put(block, 148, String.format("%06o", sum));
    block[154] = 0;
    block[155] = ' ';
    return block;
  }

  private static void put(byte[] block, int at, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
    System.arraycopy(bytes, 0, block, at, bytes.length);
  }
}
