package dev.fettle.internal.openai;

import java.util.HexFormat;
import java.util.concurrent.ThreadLocalRandom;

/** Names for answers and calls. */
final class Ids {
  private Ids() {}

  static String of(String prefix) {
    return prefix + HexFormat.of().toHexDigits(ThreadLocalRandom.current().nextLong())
        + HexFormat.of().toHexDigits(ThreadLocalRandom.current().nextLong());
  }
}
