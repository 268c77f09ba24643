package dev.fettle.internal.remote;

import dev.fettle.ServiceException;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.GZIPInputStream;

/** Unpacks tar archives, compressed or not. Nothing is written outside the target, and links are refused. */
final class Tar {
  private static final int BLOCK = 512;

  private final InputStream in;
  private final Path target;

  private Tar(InputStream in, Path target) {
    this.in = in;
    this.target = target;
  }

  static void unpack(Path archive, Path target) throws IOException {
    try (InputStream raw = new BufferedInputStream(Files.newInputStream(archive), 1 << 16)) {
      raw.mark(2);
      boolean zipped = raw.read() == 0x1f && raw.read() == 0x8b;
      raw.reset();
      new Tar(zipped ? new GZIPInputStream(raw, 1 << 16) : raw, target).unpack();
    }
  }

  private void unpack() throws IOException {
    String longName = null;
    boolean any = false;
    while (true) {
      byte[] header = in.readNBytes(BLOCK);
      if (header.length == 0 && any || header.length == BLOCK && header[0] == 0) {
        return;
      }
      if (header.length < BLOCK || !checksum(header)) {
        throw broken("it is not a tar archive, or was cut");
      }
      any = true;
      long size = size(header);
      char type = (char) header[156];
      String name = longName != null ? longName : name(header);
      longName = null;
      switch (type) {
        case 'x' -> longName = path(text(size));
        case 'L' -> longName = text(size).replace("\0", "");
        case 'g' -> text(size);
        case '5' -> Files.createDirectories(inside(name));
        case '0', '\0', '7' -> file(inside(name), size);
        default -> throw broken("it holds " + name + ", which is neither a file nor a directory");
      }
    }
  }

  private void file(Path file, long size) throws IOException {
    Files.createDirectories(file.getParent());
    try (var out = Files.newOutputStream(file)) {
      byte[] buffer = new byte[1 << 16];
      for (long left = size; left > 0;) {
        int read = in.read(buffer, 0, (int) Math.min(buffer.length, left));
        if (read < 0) {
          throw broken("it ends within " + target.relativize(file));
        }
        out.write(buffer, 0, read);
        left -= read;
      }
    }
    in.skipNBytes(-size & BLOCK - 1);
  }

  private Path inside(String name) {
    Path path = target.resolve(name).normalize();
    if (!path.startsWith(target) || Path.of(name).isAbsolute()) {
      throw broken("it holds " + name + ", which is outside of it");
    }
    return path;
  }

  private String text(long size) throws IOException {
    if (size > 1 << 20) {
      throw broken("it has a header of " + size + " bytes");
    }
    byte[] bytes = in.readNBytes((int) size);
    in.skipNBytes(-size & BLOCK - 1);
    return new String(bytes, StandardCharsets.UTF_8);
  }

  /** The path in an extended header, of lines "length key=value". */
  private static String path(String header) {
    for (String line : header.split("\n")) {
      int at = line.indexOf(" path=");
      if (at > 0) {
        return line.substring(at + " path=".length());
      }
    }
    return null;
  }

  private static String name(byte[] header) {
    String prefix = header[257] == 'u' ? field(header, 345, 155) : "";
    return (prefix.isEmpty() ? "" : prefix + "/") + field(header, 0, 100);
  }

  private static String field(byte[] header, int from, int length) {
    int end = from;
    while (end < from + length && header[end] != 0) {
      end++;
    }
    return new String(header, from, end - from, StandardCharsets.UTF_8);
  }

  private static long size(byte[] header) {
    if (header[124] < 0) {
      long size = 0;
      for (int i = 128; i < 136; i++) {
        size = size << 8 | header[i] & 0xff;
      }
      return size;
    }
    String octal = field(header, 124, 12).strip();
    return octal.matches("[0-7]+") ? Long.parseLong(octal, 8) : 0;
  }

  private static boolean checksum(byte[] header) {
    String octal = field(header, 148, 8).strip();
    long sum = 0;
    for (int i = 0; i < BLOCK; i++) {
      sum += i >= 148 && i < 156 ? ' ' : header[i] & 0xff;
    }
    return octal.matches("[0-7]+") && Long.parseLong(octal, 8) == sum;
  }

  private static ServiceException broken(String why) {
    return new ServiceException("the downloaded checkpoint cannot be unpacked: " + why, 200);
  }
}
