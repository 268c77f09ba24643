package dev.fettle.internal.text;

import dev.fettle.Conversation;
import dev.fettle.InvalidInputException;
import dev.fettle.Message;
import dev.fettle.Tokenizer;
import java.util.BitSet;
import java.util.List;

/** How one family of models writes a conversation. Immutable and thread-safe. */
interface ChatFormat {
  String family();

  /** Tokens without which the family cannot be written. */
  List<String> needs();

  /**
   * Writes a conversation.
   *
   * @param generate whether the header of the assistant's next message follows
   * @param trust whether special tokens are seen in messages too
   * @throws InvalidInputException if the family cannot express something in it
   */
  Written write(Conversation conversation, boolean generate, Tokenizer tokenizer, boolean trust);

  /** Whether an answer among {@code trained} is written differently because more messages follow it. */
  boolean rewritesHistory(Conversation conversation, BitSet trained, Tokenizer tokenizer, boolean trust);

  /**
   * The same format with a variable of its template.
   *
   * @throws InvalidInputException if there is no template that reads it
   */
  default ChatFormat with(String name, Object value) {
    throw new InvalidInputException("the chat format " + family() + " reads no \"" + name + "\": only chat templates have variables");
  }

  /** Whether a further field of a message is read. */
  default boolean reads(String field) {
    return false;
  }

  /** The tokens that end an assistant's message. */
  List<Integer> stopTokens(Tokenizer tokenizer);

  /** The texts that end an assistant's message. */
  default List<String> stopStrings() {
    return List.of();
  }

  /** Whether {@link #parse(String)} wants to see special tokens. */
  default boolean parsesSpecials() {
    return false;
  }

  /** The assistant's message in a text without its end. */
  default Message parse(String text) {
    return Message.assistant(text);
  }
}
