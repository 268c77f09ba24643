package dev.fettle.internal.remote;

import dev.fettle.InvalidInputException;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;

/** The key, and how it is kept out of every text. Thread-safe. */
final class Redactor {
  private final Supplier<String> supplier;
  private final Set<String> seen = ConcurrentHashMap.newKeySet();

  Redactor(Supplier<String> supplier) {
    this.supplier = supplier;
  }

  /** The key as it is now; empty if there is none. */
  String key() {
    String value = supplier.get();
    return value == null ? "" : noted(value.strip());
  }

  /** Remembers a secret, so that it is found in texts, and checks that a header can hold it. */
  String noted(String secret) {
    if (!secret.isEmpty()) {
      seen.add(secret);
    }
    if (!secret.chars().allMatch(c -> c > 0x20 && c < 0x7f)) {
      throw new InvalidInputException("the key holds white space or characters other than ASCII: give it as the service "
          + "issued it, by TINKER_API_KEY or Remote.key");
    }
    return secret;
  }

  /** A text without secrets. */
  String scrub(String text) {
    String out = text;
    for (String secret : seen) {
      out = out.replace(secret, "(key)");
    }
    return out;
  }

  @Override
  public String toString() {
    return "Secrets";
  }
}
