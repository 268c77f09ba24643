package dev.fettle.internal.data;

import dev.fettle.Completion;
import dev.fettle.Conversation;
import dev.fettle.Example;
import dev.fettle.Feedback;
import dev.fettle.Message;
import dev.fettle.Preference;
import dev.fettle.Text;
import dev.fettle.ToolCall;

/** A 64-bit hash of what an example says: FNV-1a over its characters, scrambled. The same on every machine. */
final class ContentHash {
  private long state = 0xCBF29CE484222325L;

  private ContentHash() {}

  static long of(String text) {
    return new ContentHash().add(text).value();
  }

  static long of(Example example) {
    return new ContentHash().add(example).value();
  }

  private ContentHash add(Example example) {
    if (example instanceof Text text) {
      add("text").add(text.text());
    } else if (example instanceof Completion completion) {
      add("completion").add(completion.prompt()).add(completion.completion());
    } else if (example instanceof Conversation conversation) {
      add("conversation");
      conversation.messages().forEach(this::add);
      conversation.tools().forEach(this::add);
    } else if (example instanceof Preference pair) {
      add("preference").add(pair.chosen()).add(pair.rejected());
    } else if (example instanceof Feedback feedback) {
      add("feedback").add(feedback.answer()).add(feedback.desirable() ? "1" : "0");
    }
    return this;
  }

  private void add(Message message) {
    add(message.role()).add(message.content()).add(message.reasoning()).add(message.trained() ? "1" : "0");
    for (ToolCall call : message.toolCalls()) {
      add(call.id()).add(call.name()).add(call.arguments());
    }
  }

  private ContentHash add(String text) {
    for (int i = 0; i < text.length(); i++) {
      step(text.charAt(i));
    }
    // The length ends each part, so that ("ab", "c") and ("a", "bc") differ.
    step(0x10000 + text.length());
    return this;
  }

  private void step(int value) {
    state = (state ^ value) * 0x100000001B3L;
  }

  private long value() {
    return SplitMix.mix(state);
  }
}
