package dev.fettle.internal.recipe;

import dev.fettle.Batch;
import dev.fettle.Batches;
import dev.fettle.Datum;
import dev.fettle.Progress;
import dev.fettle.internal.Digests;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.util.HexFormat;

/**
 * What batches hold, found by reading them once.
 *
 * @param count how many there are
 * @param sequences how many are in them
 * @param sha256 of all tokens and weights in order, in hexadecimal digits
 */
public record DataHash(int count, long sequences, String sha256) {
  /** Reads and renders everything. */
  public static DataHash of(Batches batches) {
    MessageDigest digest = Digests.sha256();
    int count = 0;
    long sequences = 0;
    try (Progress progress = Progress.passing("read data", 0)) {
      for (Batch batch : batches) {
        count = Math.addExact(count, 1);
        sequences += batch.size();
        batch.data().forEach(datum -> digest.update(bytes(datum)));
        progress.step(Double.NaN, batch.tokens());
      }
    }
    return new DataHash(count, sequences, HexFormat.of().formatHex(digest.digest()));
  }

  private static ByteBuffer bytes(Datum datum) {
    ByteBuffer bytes = ByteBuffer.allocate(4 + 8 * datum.length());
    bytes.putInt(datum.length());
    for (int i = 0; i < datum.length(); i++) {
      bytes.putInt(datum.targets()[i]).putFloat(datum.weights()[i]);
    }
    return bytes.flip();
  }

  /** The hash of a text. */
  public static String of(String text) {
    return HexFormat.of().formatHex(Digests.sha256().digest(text.getBytes(java.nio.charset.StandardCharsets.UTF_8)));
  }
}
