package dev.fettle.internal.serve;

import dev.fettle.internal.Digests;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.HexFormat;

/** What tells a request that is sent again from another one. */
final class Fingerprint {
  private Fingerprint() {}

  static String of(String what, byte[] content) {
    MessageDigest digest = Digests.sha256();
    digest.update(what.getBytes(StandardCharsets.UTF_8));
    return HexFormat.of().formatHex(digest.digest(content));
  }

  /** Whether two secrets are equal, in a time that does not tell where they differ. */
  static boolean same(String secret, String other) {
    return MessageDigest.isEqual(secret.getBytes(StandardCharsets.UTF_8), other.getBytes(StandardCharsets.UTF_8));
  }
}
