package dev.fettle.internal.hub;

import dev.fettle.internal.Digests;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;

/** What a content's ETag says of it: SHA-256 of a large file, the SHA-1 that git gives a small one, else nothing. */
final class Checksum {
  private static final int BUFFER = 1 << 18;

  private Checksum() {}

  /** Whether a file is what its ETag promises; true if that is no checksum. */
  static boolean fits(Path file, String etag) throws IOException {
    boolean large = etag.matches("[0-9a-f]{64}");
    if (!large && !etag.matches("[0-9a-f]{40}")) {
      return true;
    }
    MessageDigest digest = large ? Digests.sha256() : Digests.sha1();
    if (!large) {
      digest.update(("blob " + Files.size(file) + "\0").getBytes(StandardCharsets.UTF_8));
    }
    byte[] buffer = new byte[BUFFER];
    try (InputStream in = Files.newInputStream(file)) {
      for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
        digest.update(buffer, 0, n);
      }
    }
    return HexFormat.of().formatHex(digest.digest()).equals(etag);
  }
}
