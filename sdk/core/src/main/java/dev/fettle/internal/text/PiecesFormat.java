package dev.fettle.internal.text;

import dev.fettle.Conversation;
import dev.fettle.Tokenizer;
import java.util.BitSet;

/** A format that is written piece by piece, for models that have no template. */
interface PiecesFormat extends ChatFormat {
  /** Writes a conversation. */
  void write(Conversation conversation, boolean generate, Pieces out);

  /** Whether an answer may be written differently once more messages follow it. */
  default boolean rewritesHistory() {
    return false;
  }

  @Override
  default boolean rewritesHistory(Conversation conversation, BitSet trained, Tokenizer tokenizer, boolean trust) {
    return rewritesHistory();
  }

  @Override
  default Written write(Conversation conversation, boolean generate, Tokenizer tokenizer, boolean trust) {
    Pieces pieces = new Pieces(tokenizer);
    write(conversation, generate, pieces);
    return Encoded.of(trust ? pieces.withSpecials() : pieces, new Continuation(tokenizer));
  }
}
