package dev.fettle.internal.remote;

import dev.fettle.internal.json.ObjectNode;
import dev.fettle.internal.wire.WireJson;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;

/** Archives of adapters as others pack them. */
final class Archives {
  private Archives() {}

  /** The same adapter compressed, with the root as first member and without target_modules. */
  static byte[] likeSkyRl(byte[] tar) throws IOException {
    Path directory = Files.createTempDirectory("fettle-archive");
    Path packed = directory.resolve("packed");
    Files.write(packed, tar);
    Path unpacked = Files.createDirectory(directory.resolve("unpacked"));
    Tar.unpack(packed, unpacked);
    List<byte[]> entries = new ArrayList<>(List.of(CheckpointsTest.entry("/", '5', new byte[0])));
    try (Stream<Path> files = Files.list(unpacked)) {
      files.sorted().filter(f -> !f.endsWith("checkpoint_complete")).forEach(f -> entries.add(entry(f)));
    }
    try (Stream<Path> files = Files.walk(directory)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (GZIPOutputStream zip = new GZIPOutputStream(out)) {
      zip.write(CheckpointsTest.tar(entries.toArray(byte[][]::new)));
    }
    return out.toByteArray();
  }

  private static byte[] entry(Path file) {
    try {
      byte[] content = Files.readAllBytes(file);
      if (file.endsWith("adapter_config.json")) {
        ObjectNode settings = (ObjectNode) WireJson.tree(content);
        settings.putNull("target_modules");
        content = settings.toString().getBytes(StandardCharsets.UTF_8);
      }
      return CheckpointsTest.entry(file.getFileName().toString(), '0', content);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
