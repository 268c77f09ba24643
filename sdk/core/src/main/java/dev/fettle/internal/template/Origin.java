package dev.fettle.internal.template;

/**
 * Where a character comes from.
 *
 * @param message the message that it belongs to, for text of the template the one whose turn it was; or {@link #NOBODY}
 * @param generated whether it stands in a {@code generation} block
 */
public record Origin(int message, Field field, boolean generated) {
  /** The owner of what belongs to no message. */
  public static final int NOBODY = -1;
  /** Text of the template outside of all turns. */
  public static final Origin TEMPLATE = new Origin(NOBODY, Field.TEMPLATE);

  /** What a character was part of. */
  public enum Field {
    /** The template's own text, or a value of the tokenizer, such as the token that ends a text. */
    TEMPLATE,
    /** A number, a date, or what {@code tojson} puts around texts. */
    COMPUTED,
    /** The name of a role, which is one of a few. */
    ROLE,
    /** A message's text. */
    CONTENT,
    /** What an assistant thought. */
    REASONING,
    /** A call that an assistant makes. */
    TOOL_CALLS,
    /** The description of a tool, or another value that is given beside the messages. */
    TOOLS,
    /** Another field of a message, such as the call that a tool answers. */
    OTHER
  }

  /** What stands in no {@code generation} block. */
  public Origin(int message, Field field) {
    this(message, field, false);
  }

  /** Whether special tokens may be read in it: nobody but the template's author wrote it. */
  public boolean trusted() {
    return field == Field.TEMPLATE || field == Field.COMPUTED || field == Field.ROLE;
  }

  /** The same in a {@code generation} block; what belongs to nobody belongs to whose turn it is. */
  Origin inGeneration(int turn) {
    return generated ? this : new Origin(message == NOBODY ? turn : message, field, true);
  }
}
