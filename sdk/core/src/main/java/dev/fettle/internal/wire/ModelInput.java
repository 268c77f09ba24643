package dev.fettle.internal.wire;

import dev.fettle.internal.json.JsonForm;
import dev.fettle.internal.json.JsonNode;
import dev.fettle.internal.json.Records;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** What a model reads: tokens, and kinds of chunks that Fettle only knows by name, so that they can be refused. */
public record ModelInput(List<Chunk> chunks) {
  /** Tokens alone. */
  public static ModelInput of(int[] tokens) {
    return new ModelInput(List.of(new Text(tokens)));
  }

  /**
   * The tokens of all chunks.
   *
   * @throws WireException if there is no token, or a chunk is not text
   */
  public int[] tokens() {
    int[] out = new int[0];
    for (Chunk chunk : chunks == null ? List.<Chunk>of() : chunks) {
      if (!(chunk instanceof Text text) || text.tokens == null) {
        throw new WireException("a chunk of the model input is " + (chunk instanceof Other other ? "not text but " + other.type
            : "null") + "; only encoded_text is supported");
      }
      int at = out.length;
      out = Arrays.copyOf(out, at + text.tokens.length);
      System.arraycopy(text.tokens, 0, out, at, text.tokens.length);
    }
    if (out.length == 0) {
      throw new WireException("the model input has no tokens");
    }
    return out;
  }

  /** A part of it. */
  public sealed interface Chunk extends JsonForm {
    /** Of an object that says its type. */
    static Chunk of(JsonNode node) {
      String type = node.path("type").asString("");
      return type.equals(Text.TYPE) ? Records.STRICT.read(node, Tokens.class).text() : new Other(type);
    }
  }

  /** Tokens. */
  public record Text(int[] tokens) implements Chunk {
    private static final String TYPE = "encoded_text";

    @Override
    public Object json() {
      return new Tokens(TYPE, tokens);
    }
  }

  /** A picture or sound, which is not read. */
  public record Other(String type) implements Chunk {
    @Override
    public Object json() {
      return Map.of("type", type);
    }
  }

  private record Tokens(String type, int[] tokens) {
    Text text() {
      return new Text(tokens);
    }
  }
}
