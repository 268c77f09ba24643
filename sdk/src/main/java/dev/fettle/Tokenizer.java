package dev.fettle;

/** Text to token ids and back. Thread-safe. Skeleton: see package internal.text. */
public interface Tokenizer {
  /** The ids of a text as it stands: no token is added and nothing in the text becomes a special token. */
  int[] encode(String text);

  /** The text of some ids; special tokens are left out. */
  String decode(int... ids);
}
