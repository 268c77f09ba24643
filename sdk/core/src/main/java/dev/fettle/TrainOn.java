package dev.fettle;

/**
 * Which parts of a conversation are trained. The token that ends a trained message is trained with it. A message that is
 * {@link Message#excluded()} is trained by {@link #ALL_TOKENS} alone.
 */
public enum TrainOn {
  /** The last message, which must be an assistant's. The default. */
  LAST_ASSISTANT_MESSAGE,
  /** Every assistant message after the last user message. */
  LAST_ASSISTANT_TURN,
  /** Every assistant message. */
  ALL_ASSISTANT_MESSAGES,
  /** Every message, without the headers that name the roles. */
  ALL_MESSAGES,
  /** Every token, headers included, except the one that begins the text. */
  ALL_TOKENS,
  /** Every user and system message. */
  ALL_USER_AND_SYSTEM_MESSAGES,
  /** The messages whose {@link Message#trained()} is true. */
  CUSTOMIZED
}
