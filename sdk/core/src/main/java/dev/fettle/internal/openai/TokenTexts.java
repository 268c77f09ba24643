package dev.fettle.internal.openai;

import dev.fettle.Tokenizer;
import dev.fettle.internal.SampledToken;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/** Tokens as texts and bytes, and their logprobs as OpenAI writes them. */
final class TokenTexts {
  private static final Pattern BYTE = Pattern.compile("<0x[0-9A-F]{2}>");
  private static final char INCOMPLETE = '\uFFFD';
  /** What a logprob is that JSON cannot write. */
  private static final double LEAST = -9999;

  private final Tokenizer tokenizer;

  TokenTexts(Tokenizer tokenizer) {
    this.tokenizer = tokenizer;
  }

  /** The text of a token alone; where it is a part of a character, {@code \xNN} for each byte. */
  String text(int id) {
    String spelled = spelled(id);
    String text = spelled.startsWith("\u2581") ? spelled.replace('\u2581', ' ') : id < tokenizer.vocabSize() ? tokenizer.decodeAll(id) : "";
    if (text.indexOf(INCOMPLETE) < 0) {
      return text;
    }
    StringBuilder bytes = new StringBuilder();
    for (byte b : bytes(id)) {
      bytes.append(String.format("\\x%02x", b & 0xff));
    }
    return bytes.toString();
  }

  /** The bytes that a token stands for. */
  byte[] bytes(int id) {
    String spelled = spelled(id);
    if (BYTE.matcher(spelled).matches()) {
      return new byte[] {(byte) Integer.parseInt(spelled.substring(3, 5), 16)};
    }
    String text = id < tokenizer.vocabSize() ? tokenizer.decodeAll(id) : "";
    if (text.indexOf(INCOMPLETE) < 0) {
      return text(id).getBytes(StandardCharsets.UTF_8);
    }
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    spelled.chars().forEach(c -> out.write(ofByteLevel(c)));
    return out.toByteArray();
  }

  private String spelled(int id) {
    return id < tokenizer.vocabSize() ? tokenizer.token(id) : "";
  }

  /** GPT-2's alphabet for bytes: those that print stand for themselves, and the others for what follows 255. */
  private static int ofByteLevel(int letter) {
    if (letter < 256) {
      return letter;
    }
    int skipped = letter - 256;
    return skipped <= 32 ? skipped : skipped <= 66 ? skipped - 33 + 127 : 173;
  }

  /** Of one place of a chat. */
  Map<String, Object> logprob(SampledToken token) {
    Map<String, Object> out = entry(token.id(), token.logprob());
    List<Object> top = new ArrayList<>();
    for (int i = 0; i < token.top().length; i++) {
      top.add(entry(token.top()[i], token.topLogprobs()[i]));
    }
    out.put("top_logprobs", top);
    return out;
  }

  private Map<String, Object> entry(int id, float logprob) {
    Map<String, Object> out = new LinkedHashMap<>();
    out.put("token", text(id));
    out.put("logprob", finite(logprob));
    List<Object> bytes = new ArrayList<>();
    for (byte b : bytes(id)) {
      bytes.add(b & 0xff);
    }
    out.put("bytes", bytes);
    return out;
  }

  static double finite(float logprob) {
    return Float.isFinite(logprob) ? logprob : LEAST;
  }
}
