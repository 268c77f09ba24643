package dev.fettle.internal.data;

/** Short names for descriptions of data. */
public final class Fingerprints {
  private Fingerprints() {}

  /** 16 hexadecimal digits that stand for where the batches come from and how they are made. */
  public static String of(Source source, Limit limit, Grouping grouping) {
    return String.format("%016x", ContentHash.of(source.fingerprint() + limit + grouping));
  }
}
