package dev.fettle.internal.text;

import dev.fettle.Rendered;
import dev.fettle.Tokenizer;
import dev.fettle.internal.Status;
import dev.fettle.internal.template.Origin;
import dev.fettle.internal.template.Text;
import java.util.Arrays;
import java.util.OptionalInt;
import java.util.concurrent.atomic.AtomicBoolean;

/** Texts and completions as tokens. Those that hold special tokens were written by a template before. */
final class PlainText {
  /** Whether special tokens that a text spells are meant. */
  enum Trust {
    NEVER,
    SAID_ONCE,
    ALWAYS
  }

  private final Tokenizer tokenizer;
  private final Trust trust;
  private final AtomicBoolean said = new AtomicBoolean();

  PlainText(Tokenizer tokenizer, Trust trust) {
    this.tokenizer = tokenizer;
    this.trust = trust;
  }

  /** Whether special tokens are meant wherever they are spelt. */
  boolean trusts() {
    return trust == Trust.ALWAYS;
  }

  /** A text to learn after one that is not learnt, which may be empty. */
  Rendered render(String prompt, String learnt) {
    int[] before = encode(prompt, false);
    int[] after = encode(learnt, before.length > 0);
    OptionalInt bos = tokenizer.addsBos() && !begins(before.length > 0 ? before : after) ? tokenizer.bos() : OptionalInt.empty();
    OptionalInt eos = ends(after) ? OptionalInt.empty() : tokenizer.eos();
    int start = bos.isPresent() ? 1 : 0;
    int end = start + before.length + after.length;
    int[] tokens = new int[end + (eos.isPresent() ? 1 : 0)];
    bos.ifPresent(id -> tokens[0] = id);
    System.arraycopy(before, 0, tokens, start, before.length);
    System.arraycopy(after, 0, tokens, start + before.length, after.length);
    eos.ifPresent(id -> tokens[end] = id);
    float[] weights = new float[tokens.length];
    Arrays.fill(weights, start + before.length, tokens.length, 1f);
    if (before.length == 0 && begins(tokens)) {
      weights[0] = 0f;
    }
    return new Rendered(tokens, weights);
  }

  private boolean begins(int[] tokens) {
    return tokens.length > 0 && tokenizer.bos().orElse(-1) == tokens[0];
  }

  /** Whether a text ends with the token that ends texts, white space aside. */
  private boolean ends(int[] tokens) {
    int last = tokens.length - 1;
    while (last > 0 && !tokenizer.special(tokens[last]) && tokenizer.decode(tokens[last]).isBlank()) {
      last--;
    }
    return last >= 0 && tokenizer.eos().orElse(-1) == tokens[last];
  }

  private int[] encode(String text, boolean goesOn) {
    if (trust != Trust.NEVER && tokenizer instanceof HfTokenizer own) {
      Text whole = Text.of(text, Origin.TEMPLATE);
      if (!own.specials(whole, true).isEmpty()) {
        if (trust == Trust.SAID_ONCE && !said.getAndSet(true)) {
          Status.say("texts of these data spell special tokens, as if a template had written them: they become those tokens;"
              + " renderer.trust(false) keeps them text. It is said once");
        }
        return own.encode(whole, true).ids();
      }
    }
    return goesOn ? new Continuation(tokenizer).encode(text) : tokenizer.encode(text);
  }
}
