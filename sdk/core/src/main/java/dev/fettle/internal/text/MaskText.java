package dev.fettle.internal.text;

import dev.fettle.Rendered;
import dev.fettle.Tokenizer;
import java.util.List;

/** Sequences as text in which the trained parts stand out. */
final class MaskText {
  private static final String GREEN = "\u001b[32m";
  private static final String DIM = "\u001b[2m";
  private static final String RESET = "\u001b[0m";

  private MaskText() {}

  static String of(Tokenizer tokenizer, List<Rendered> sequences, boolean colour) {
    StringBuilder out = new StringBuilder();
    for (int i = 0; i < sequences.size(); i++) {
      if (sequences.size() > 1) {
        out.append(i == 0 ? "" : "\n").append("--- ").append(i + 1).append(" of ").append(sequences.size())
            .append(" ---\n");
      }
      write(tokenizer, sequences.get(i), colour, out);
    }
    return out.toString();
  }

  private static void write(Tokenizer tokenizer, Rendered sequence, boolean colour, StringBuilder out) {
    StreamDecoder decoder = new StreamDecoder(tokenizer, true);
    int n = sequence.length();
    for (int start = 0; start < n; ) {
      boolean trained = sequence.weights()[start] != 0;
      StringBuilder text = new StringBuilder();
      int end = start;
      for (; end < n && sequence.weights()[end] != 0 == trained; end++) {
        text.append(decoder.append(sequence.tokens()[end]));
      }
      text.append(end == n ? decoder.rest() : "");
      out.append(colour ? (trained ? GREEN : DIM) : trained ? "[[" : "");
      out.append(text.toString().replace("\n", "\\n\n"));
      out.append(colour ? RESET : trained ? "]]" : "");
      start = end;
    }
  }
}
