package dev.fettle.internal.remote;

import dev.fettle.ServiceException;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.zip.GZIPInputStream;

/**
 * Unpacks tar archives, compressed or not. Nothing is written outside the target, and links are refused; a directory that
 * stands for the archive itself, which some tools put first, is nothing to unpack.
 */
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
    Map<String, String> extended = Map.of();
    boolean any = false;
    while (true) {
      byte[] header = in.readNBytes(BLOCK);
      if (header.length == 0 && any || Arrays.equals(header, new byte[BLOCK])) {
        return;
      }
      if (header.length < BLOCK || !checksum(header)) {
        throw broken("it is not a tar archive, or was cut");
      }
      any = true;
      char type = (char) header[156];
      if (type == 'x' || type == 'L' || type == 'g' || type == 'K') {
        byte[] bytes = bytes(size(header));
        longName = type == 'L' ? new String(bytes, StandardCharsets.UTF_8).replace("\0", "") : longName;
        extended = type == 'x' ? records(bytes) : extended;
        continue;
      }
      String name = extended.getOrDefault("path", longName != null ? longName : name(header));
      long size = extended.containsKey("size") ? number(extended.get("size"), 10) : size(header);
      longName = null;
      extended = Map.of();
      switch (type) {
        case '5' -> directory(name);
        case '0', '\0', '7' -> {
          if (name.endsWith("/")) {
            directory(name);
          } else {
            file(inside(name), size);
          }
        }
        default -> throw broken("it holds " + name + ", which is neither a file nor a directory");
      }
    }
  }

  private void directory(String name) throws IOException {
    if (!name.matches("(\\.?/+)*\\.?")) {
      Files.createDirectories(inside(name));
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
    Path path;
    try {
      path = target.resolve(name).normalize();
    } catch (InvalidPathException e) {
      throw broken("it holds a name that no file can have: " + e.getMessage());
    }
    if (!path.startsWith(target) || path.equals(target) || name.startsWith("/")) {
      throw broken("it holds " + name + ", which is outside of it");
    }
    return path;
  }

  private byte[] bytes(long size) throws IOException {
    if (size > 1 << 20) {
      throw broken("it has a header of " + size + " bytes");
    }
    byte[] bytes = in.readNBytes((int) size);
    in.skipNBytes(-size & BLOCK - 1);
    return bytes;
  }

  /** What an extended header says: records of "length key=value" and a line's end, where the length counts all of that. */
  private static Map<String, String> records(byte[] header) {
    Map<String, String> out = new HashMap<>();
    for (int at = 0; at < header.length && header[at] != 0;) {
      int space = at;
      while (space < header.length && header[space] != ' ') {
        space++;
      }
      long length = number(new String(header, at, space - at, StandardCharsets.UTF_8), 10);
      if (length < space - at + 2 || length > header.length - at) {
        throw broken("it has an extended header that is cut");
      }
      String record = new String(header, space + 1, (int) length - (space - at) - 2, StandardCharsets.UTF_8);
      int equals = record.indexOf('=');
      out.put(record.substring(0, Math.max(0, equals)), record.substring(equals + 1));
      at += (int) length;
    }
    return out;
  }

  private static long number(String text, int radix) {
    try {
      return Long.parseUnsignedLong(text.strip(), radix);
    } catch (NumberFormatException e) {
      throw broken("it has the number \"" + text + "\"");
    }
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
    return octal.isEmpty() ? 0 : number(octal, 8);
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
