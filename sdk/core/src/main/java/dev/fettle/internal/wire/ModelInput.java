package dev.fettle.internal.wire;

import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import java.util.Arrays;
import java.util.List;

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
        throw new WireException("a chunk of the model input is " + (chunk == null ? "null" : "not text but "
            + chunk.getClass().getSimpleName()) + "; only encoded_text is supported");
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
  @JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "type")
  @JsonSubTypes({@JsonSubTypes.Type(value = Text.class, name = "encoded_text"),
      @JsonSubTypes.Type(value = Image.class, name = "image"),
      @JsonSubTypes.Type(value = ImagePointer.class, name = "image_asset_pointer"),
      @JsonSubTypes.Type(value = Audio.class, name = "dmel")})
  public sealed interface Chunk {}

  /** Tokens. */
  public record Text(int[] tokens) implements Chunk {}

  /** A picture. */
  public record Image(byte[] data, String format, Integer expectedTokens) implements Chunk {}

  /** A picture elsewhere. */
  public record ImagePointer(String location, String format, Integer expectedTokens) implements Chunk {}

  /** Sound. */
  public record Audio(byte[] dmel) implements Chunk {}
}
