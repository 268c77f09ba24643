package dev.fettle.internal.text;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import dev.fettle.InvalidInputException;
import dev.fettle.internal.FileErrors;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/** Hugging Face's tokenizer library, never truncating, padding or adding a token. Its memory goes with the object. */
final class NativeTokenizer {
  private static final Map<String, String> PLAIN =
      Map.of("addSpecialTokens", "false", "truncation", "false", "padding", "false");

  static {
    // DJL reports its use to its makers when it runs on EC2; opening a local file must not use the network.
    if (System.getProperty("OPT_OUT_TRACKING") == null) {
      System.setProperty("OPT_OUT_TRACKING", "true");
    }
  }

  private final Path path;
  private final HuggingFaceTokenizer library;

  private NativeTokenizer(Path path, InputStream json) {
    this.path = path;
    try {
      library = HuggingFaceTokenizer.newInstance(json, PLAIN);
    } catch (IOException | RuntimeException | LinkageError e) {
      throw new InvalidInputException(path + " is refused by the tokenizer library: " + e.getMessage(), e);
    }
  }

  static NativeTokenizer of(Path path) {
    try (InputStream in = Files.newInputStream(path)) {
      return new NativeTokenizer(path, in);
    } catch (IOException e) {
      throw FileErrors.unread(path, e);
    }
  }

  static NativeTokenizer of(Path path, String json) {
    return new NativeTokenizer(path, new ByteArrayInputStream(json.getBytes(StandardCharsets.UTF_8)));
  }

  int[] encode(String text) {
    return encode(text, false);
  }

  /** With the tokens that the post-processor adds, if they are asked for. */
  int[] encode(String text, boolean framed) {
    long[] ids;
    try {
      ids = library.encode(wellFormed(text), framed, false).getIds();
    } catch (RuntimeException e) {
      throw new InvalidInputException(path + " cannot encode a text of " + text.length() + " characters: "
          + e.getMessage(), e);
    }
    int[] result = new int[ids.length];
    for (int i = 0; i < ids.length; i++) {
      result[i] = Math.toIntExact(ids[i]);
    }
    return result;
  }

  String decode(int[] ids) {
    if (ids.length == 0) {
      return "";
    }
    long[] wide = new long[ids.length];
    for (int i = 0; i < ids.length; i++) {
      wide[i] = ids[i];
    }
    try {
      return library.decode(wide, false);
    } catch (RuntimeException e) {
      throw new InvalidInputException(path + " cannot decode " + ids.length + " ids: " + e.getMessage(), e);
    }
  }

  /** Half of a surrogate pair has no UTF-8 form; native code must not see it. */
  private static String wellFormed(String text) {
    return new String(text.getBytes(StandardCharsets.UTF_16BE), StandardCharsets.UTF_16BE);
  }
}
