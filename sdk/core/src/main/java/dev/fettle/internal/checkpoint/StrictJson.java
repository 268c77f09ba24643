package dev.fettle.internal.checkpoint;

import dev.fettle.InvalidInputException;
import dev.fettle.internal.FileErrors;
import dev.fettle.internal.json.JsonException;
import dev.fettle.internal.json.JsonNode;
import dev.fettle.internal.json.JsonPrinter;
import dev.fettle.internal.json.JsonReader;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Reads JSON objects without leniency: valid UTF-8, no duplicate keys, nothing after the object, bounded nesting.
 * Stateless.
 */
public final class StrictJson {
  /** No settings file is near this; a larger one is not what its name says. */
  private static final long MAX_FILE_BYTES = 64L << 20;

  private static final JsonReader READER = JsonReader.STANDARD
      .within(bounds -> bounds.maxNestingDepth(64).maxStringLength(4 << 20).maxNameLength(1 << 16)).withoutDuplicates();

  private StrictJson() {}

  /** Reads the file, which must hold one JSON object. */
  public static JsonNode read(Path file) {
    try {
      requireSensible(file, Files.size(file));
      return parse(ByteBuffer.wrap(Files.readAllBytes(file)), file.toString());
    } catch (IOException e) {
      throw FileErrors.unread(file, e);
    }
  }

  /** Reads an open file, which must hold one JSON object. */
  public static JsonNode read(OpenFile file) {
    requireSensible(file.path(), file.size());
    return parse(ByteBuffer.wrap(file.bytes()), file.path().toString());
  }

  private static void requireSensible(Path file, long size) {
    if (size > MAX_FILE_BYTES) {
      throw new InvalidInputException(file + ": " + size + " bytes; a settings file has at most " + MAX_FILE_BYTES);
    }
  }

  /** Parses UTF-8 bytes, from position to limit, that must hold one JSON object; source names them in errors. */
  public static JsonNode parse(ByteBuffer utf8, String source) {
    try {
      return parse(StandardCharsets.UTF_8.newDecoder().decode(utf8).toString(), source);
    } catch (CharacterCodingException e) {
      throw new InvalidInputException(source + ": not valid UTF-8", e);
    }
  }

  /** Parses text that must hold one JSON object; source names it in errors. */
  public static JsonNode parse(String text, String source) {
    JsonNode node;
    try {
      node = READER.read(text);
    } catch (JsonException e) {
      String where = e.line() == 0 ? "" : " at line " + e.line() + ", column " + e.column();
      throw new InvalidInputException(
          source + ": not well-formed JSON" + where + ": " + Quote.line(e.getMessage()), e);
    }
    if (!node.isObject()) {
      throw new InvalidInputException(source + ": must hold one JSON object");
    }
    return node;
  }

  /** The text of a tree, indented, with a newline at the end. */
  public static String write(JsonNode node) {
    return JsonPrinter.indented(node) + "\n";
  }

  /** The text of a tree on one line. */
  public static String compact(JsonNode node) {
    return JsonPrinter.line(node);
  }
}
