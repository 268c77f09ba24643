package dev.fettle.internal.text;

import dev.fettle.Rendered;
import dev.fettle.Tokenizer;
import dev.fettle.internal.template.Origin.Field;
import java.util.function.Supplier;

/**
 * A sequence, and for those who look at it where each token comes from.
 *
 * @param fields one a token
 */
record MarkedSequence(Rendered rendered, Supplier<Field[]> fields) {
  /** A text or completion: special tokens count as written by a template. */
  static MarkedSequence ofPlain(Tokenizer tokenizer, Rendered rendered) {
    return new MarkedSequence(rendered, () -> {
      Field[] fields = new Field[rendered.length()];
      for (int i = 0; i < fields.length; i++) {
        fields[i] = tokenizer.special(rendered.tokens()[i]) ? Field.TEMPLATE : Field.CONTENT;
      }
      return fields;
    });
  }
}
