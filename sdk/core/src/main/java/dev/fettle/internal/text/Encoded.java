package dev.fettle.internal.text;

import dev.fettle.Rendered;
import dev.fettle.Tokenizer;
import dev.fettle.internal.template.Origin.Field;
import dev.fettle.internal.text.Pieces.Piece;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;

/** Tokens, and the piece that each belongs to. */
final class Encoded implements Written {
  private final Tokenizer tokenizer;
  private final Continuation continuation;
  private final List<Piece> pieces;
  private int[] tokens = new int[64];
  private int[] from = new int[64];
  private int length;

  private Encoded(Pieces written, Continuation continuation) {
    this.tokenizer = written.tokenizer();
    this.continuation = continuation;
    this.pieces = written.list();
  }

  /** The tokens of what a format wrote. */
  static Encoded of(Pieces written, Continuation continuation) {
    Encoded encoded = new Encoded(written, continuation);
    List<Integer> run = new ArrayList<>();
    for (int i = 0; i < encoded.pieces.size(); i++) {
      Piece piece = encoded.pieces.get(i);
      if (piece.isToken() || !piece.joined()) {
        encoded.flush(run);
      }
      if (piece.isToken()) {
        encoded.add(piece.id(), i);
      } else {
        run.add(i);
      }
    }
    encoded.flush(run);
    return encoded;
  }

  @Override
  public int[] tokens() {
    return Arrays.copyOf(tokens, length);
  }

  @Override
  public Rendered trained(BitSet trained) {
    float[] weights = new float[length];
    for (int i = 0; i < length; i++) {
      Piece piece = pieces.get(from[i]);
      weights[i] = piece.output() && piece.owner() >= 0 && trained.get(piece.owner()) ? 1f : 0f;
    }
    return new Rendered(tokens(), weights);
  }

  /** Headers are the format's, and outputs the messages', but for the tokens that end them. */
  @Override
  public Field[] fields() {
    Field[] fields = new Field[length];
    for (int i = 0; i < length; i++) {
      Piece piece = pieces.get(from[i]);
      fields[i] = piece.output() && !piece.isToken() && piece.owner() >= 0 ? Field.CONTENT : Field.TEMPLATE;
    }
    return fields;
  }

  private void flush(List<Integer> run) {
    if (run.isEmpty()) {
      return;
    }
    StringBuilder text = new StringBuilder();
    run.forEach(i -> text.append(pieces.get(i).text()));
    boolean apart = !pieces.get(run.get(0)).joined() && length > 0 && !pieces.get(from[length - 1]).isToken();
    int[] ids = apart ? continuation.encode(text.toString()) : tokenizer.encode(text.toString());
    int position = 0;
    int done = 0;
    for (int k = 0; k < run.size(); k++) {
      position += pieces.get(run.get(k)).text().length();
      int end = k == run.size() - 1 ? ids.length : seam(ids, text.substring(0, position));
      for (; done < end; done++) {
        add(ids[done], run.get(k));
      }
    }
    run.clear();
  }

  /** How many of the tokens begin within the first part of their text. */
  private int seam(int[] ids, String part) {
    int[] alone = tokenizer.encode(part);
    if (Arrays.mismatch(alone, ids) == alone.length || Arrays.equals(alone, ids)) {
      return alone.length;
    }
    int low = 0;
    int high = ids.length;
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (tokenizer.decodeAll(Arrays.copyOf(ids, middle)).length() < part.length()) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }

  private void add(int id, int piece) {
    if (length == tokens.length) {
      tokens = Arrays.copyOf(tokens, length * 2);
      from = Arrays.copyOf(from, length * 2);
    }
    tokens[length] = id;
    from[length++] = piece;
  }
}
