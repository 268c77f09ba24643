package dev.fettle.internal.text;

import dev.fettle.InvalidInputException;
import dev.fettle.Tokenizer;
import dev.fettle.internal.template.Origin;
import dev.fettle.internal.template.Text;
import java.util.ArrayList;
import java.util.List;

/**
 * What a chat format writes: text and special tokens in order, each belonging to a message and being either header or
 * output. The loss mask needs no more than this.
 */
final class Pieces {
  /** The owner of what belongs to no message. */
  static final int NOBODY = -1;

  /**
   * @param id the token, or -1 for text
   * @param joined whether the text is tokenised together with the text before it
   */
  record Piece(String text, int id, int owner, boolean output, boolean joined) {
    boolean isToken() {
      return id >= 0;
    }
  }

  private final Tokenizer tokenizer;
  private final List<Piece> list = new ArrayList<>();
  private int owner = NOBODY;
  private boolean joined = true;

  Pieces(Tokenizer tokenizer) {
    this.tokenizer = tokenizer;
  }

  /** What follows belongs to the message of this index. */
  Pieces message(int index) {
    owner = index;
    return this;
  }

  /** What follows is tokenised piece by piece. */
  Pieces apart() {
    joined = false;
    return this;
  }

  Pieces header(String text) {
    return text(text, false);
  }

  Pieces output(String text) {
    return text(text, true);
  }

  Pieces headerToken(String name) {
    return token(id(name), false);
  }

  Pieces outputToken(String name) {
    return token(id(name), true);
  }

  /** The token that begins a text, where the model has one. */
  Pieces bos() {
    tokenizer.bos().ifPresent(id -> token(id, false));
    return this;
  }

  /** The token that ends a text. */
  Pieces eos() {
    return token(tokenizer.eos().orElseThrow(() -> new InvalidInputException(
        "the tokenizer has no EOS token, which this chat format needs: name eos_token in tokenizer_config.json")),
        true);
  }

  /** These with the special tokens that messages spell as tokens. */
  Pieces withSpecials() {
    Pieces seen = new Pieces(tokenizer);
    for (Piece piece : list) {
      int from = 0;
      for (SpecialTokens.Match match : piece.isToken() || !(tokenizer instanceof HfTokenizer own) ? List.<SpecialTokens.Match>of()
          : own.specials(Text.of(piece.text(), Origin.TEMPLATE), true)) {
        seen.add(piece, piece.text().substring(from, match.start()), -1);
        seen.add(piece, "", match.id());
        from = match.end();
      }
      seen.add(piece, piece.text().substring(from), piece.id());
    }
    return seen;
  }

  /** A part of a piece. */
  private void add(Piece piece, String text, int id) {
    if (id >= 0 || !text.isEmpty()) {
      list.add(new Piece(text, id, piece.owner(), piece.output(), piece.joined()));
    }
  }

  List<Piece> list() {
    return list;
  }

  Tokenizer tokenizer() {
    return tokenizer;
  }

  private Pieces text(String text, boolean output) {
    if (!text.isEmpty()) {
      list.add(new Piece(text, -1, owner, output, joined));
    }
    return this;
  }

  private Pieces token(int id, boolean output) {
    list.add(new Piece("", id, owner, output, joined));
    return this;
  }

  private int id(String name) {
    return tokenizer.id(name).orElseThrow(
        () -> new InvalidInputException("the tokenizer has no token \"" + name + "\""));
  }
}
