package dev.fettle.internal.hub;

import dev.fettle.InvalidInputException;
import dev.fettle.internal.FileErrors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/** The user's token, kept out of every text. */
final class Token {
  private final String value;
  private final String source;

  private Token(String value, String source) {
    this.value = value;
    this.source = source;
  }

  /** That of HF_TOKEN, else that of the file in which a log-in left it, else none. */
  static Token find(Map<String, String> env, Path home) {
    for (String name : new String[] {"HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"}) {
      String value = env.getOrDefault(name, "").strip();
      if (!value.isEmpty()) {
        return new Token(checked(value, name), name);
      }
    }
    Path file = env.containsKey("HF_TOKEN_PATH") ? Path.of(env.get("HF_TOKEN_PATH")) : home.resolve("token");
    try {
      String value = Files.isRegularFile(file) ? Files.readString(file).strip() : "";
      return new Token(checked(value, file.toString()), value.isEmpty() ? "" : file.toString());
    } catch (IOException e) {
      throw FileErrors.unread(file, e);
    }
  }

  private static String checked(String value, String source) {
    if (!value.chars().allMatch(c -> c > 0x20 && c < 0x7f)) {
      throw new InvalidInputException(source + ": the token in it holds white space or characters other than ASCII; "
          + "give it as the hub issued it");
    }
    return value;
  }

  String value() {
    return value;
  }

  boolean isPresent() {
    return !value.isEmpty();
  }

  /** The variable or file that it comes from. */
  String source() {
    return source;
  }

  /** Foreign text for an error: without the token, on one line, of bounded length. */
  String scrub(String text) {
    String clean = isPresent() ? String.valueOf(text).replace(value, "(token)") : String.valueOf(text);
    String flat = clean.replaceAll("\\p{Cntrl}+", " ").strip();
    return flat.length() <= 200 ? flat : flat.substring(0, 200) + "...";
  }

  @Override
  public String toString() {
    return "Token";
  }
}
