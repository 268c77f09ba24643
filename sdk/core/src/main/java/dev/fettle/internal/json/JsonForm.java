package dev.fettle.internal.json;

/**
 * What is not written as an object of a record's components: {@link JsonPrinter} writes what {@link #json()} gives, and
 * {@link Records} reads it by a public static method {@code of(JsonNode)} of the type.
 */
public interface JsonForm {

  /** What is written: anything that {@link JsonPrinter} takes. */
  Object json();
}
