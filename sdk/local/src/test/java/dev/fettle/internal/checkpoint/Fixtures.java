package dev.fettle.internal.checkpoint;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** Files that the tests read: those that the Python libraries made, those of the shared directory, and made-up ones. */
public final class Fixtures {
  private Fixtures() {}

  /** A file beside make_fixtures.py. */
  public static Path file(String name) {
    try {
      return Path.of(Fixtures.class.getResource(name).toURI());
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }

  /** A path of the shared directory; the test is skipped without it. */
  public static Path shared(String name) {
    Path path = Path.of(System.getProperty("fettle.shared", "../shared")).resolve(name);
    assumeTrue(Files.exists(path), () -> "skipped: no " + path + " (system property fettle.shared)");
    return path;
  }

  /** The bytes of a safetensors file with the given header and as many zero bytes of data. */
  static byte[] safetensors(String header, int dataBytes) {
    byte[] json = header.getBytes(StandardCharsets.UTF_8);
    ByteBuffer buffer = ByteBuffer.allocate(8 + json.length + dataBytes).order(ByteOrder.LITTLE_ENDIAN);
    buffer.putLong(json.length).put(json);
    return buffer.array();
  }

  /** Writes such a file. */
  static Path safetensors(Path directory, String header, int dataBytes) throws IOException {
    return Files.write(directory.resolve("x.safetensors"), safetensors(header, dataBytes));
  }
}
