package dev.fettle.internal.text;

import dev.fettle.Conversation;
import dev.fettle.Rendered;
import dev.fettle.internal.template.Origin.Field;
import dev.fettle.internal.template.Text;
import java.util.BitSet;
import java.util.List;

/** A conversation as a template wrote it. */
record TemplateText(Conversation conversation, TemplateFormat.Writing writing, Text text, Spans spans,
    List<SpecialTokens.Match> specials, Omissions omissions) implements Written {
  @Override
  public int[] tokens() {
    return spans.ids().clone();
  }

  @Override
  public Rendered trained(BitSet trained) {
    float[] weights = new float[spans.ids().length];
    Turns turns = new Turns(writing, text, specials);
    for (int i = trained.nextSetBit(0); i >= 0; i = trained.nextSetBit(i + 1)) {
      boolean assistant = Selection.assistant(conversation.messages(), i);
      Omissions.refuseIn(conversation, i, text);
      for (int[] range : turns.output(i, assistant)) {
        boolean marked = turns.isMarked(range[0]);
        for (int k = 0; k < weights.length; k++) {
          // A token that spans header and output is header, but of a generation block, as in transformers.
          int start = spans.starts()[k];
          int place = marked && k + 1 < weights.length ? Math.max(start, spans.starts()[k + 1] - 1) : start;
          weights[k] = place >= range[0] && start < range[1] ? 1f : weights[k];
        }
      }
    }
    return new Rendered(tokens(), weights, chars());
  }

  @Override
  public boolean hasTools() {
    return Omissions.hasTools(conversation, text);
  }

  @Override
  public Written told() {
    if (!hasTools()) {
      omissions.tellTools();
    }
    return this;
  }

  @Override
  public String chars() {
    return text.chars();
  }

  @Override
  public Field[] fields() {
    Field[] fields = new Field[spans.ids().length];
    int run = 0;
    for (int k = 0; k < fields.length; k++) {
      while (run + 1 < text.runs() && text.end(run) <= spans.starts()[k]) {
        run++;
      }
      fields[k] = text.origin(run).field();
    }
    return fields;
  }
}
