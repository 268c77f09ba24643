package dev.fettle.internal.gguf;

/** What a token is, by the numbers that GGUFs have for it, which count from 1. */
enum TokenType {
  NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE;

  long id() {
    return ordinal() + 1L;
  }
}
