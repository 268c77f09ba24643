package dev.fettle.internal.text;

import dev.fettle.Tokenizer;
import dev.fettle.internal.template.Origin.Field;
import java.util.List;

/** Sequences as text in which stands out what is trained, and who wrote what. */
final class MaskText {
  private MaskText() {}

  static String of(Tokenizer tokenizer, List<MarkedSequence> sequences, Look look) {
    StringBuilder out = new StringBuilder();
    for (int i = 0; i < sequences.size(); i++) {
      if (sequences.size() > 1) {
        out.append(i == 0 ? "" : "\n").append("--- ").append(i + 1).append(" of ").append(sequences.size())
            .append(" ---\n");
      }
      write(tokenizer, sequences.get(i), look, out);
    }
    return look.framed(out.toString());
  }

  private static void write(Tokenizer tokenizer, MarkedSequence sequence, Look look, StringBuilder out) {
    StreamDecoder decoder = new StreamDecoder(tokenizer, true);
    int[] tokens = sequence.rendered().tokens();
    float[] weights = sequence.rendered().weights();
    Field[] fields = sequence.fields().get();
    for (int start = 0; start < tokens.length; ) {
      boolean trained = weights[start] != 0;
      int kind = Look.kind(fields[start]);
      StringBuilder text = new StringBuilder();
      int end = start;
      for (; end < tokens.length && weights[end] != 0 == trained && (look == Look.BRACKETS || Look.kind(fields[end]) == kind); end++) {
        text.append(decoder.append(tokens[end]));
      }
      text.append(end == tokens.length ? decoder.rest() : "");
      String part = look.part(text.toString(), kind, trained);
      out.append(look == Look.BRACKETS && trained ? "[[" + part + "]]" : part);
      start = end;
    }
  }
}
