package dev.fettle;

/**
 * One thing to learn from, before it is tokens: a {@link Conversation}, a {@link Completion}, a plain {@link Text}, or a
 * {@link Preference} between two of the first two.
 */
public sealed interface Example permits Conversation, Completion, Text, Preference {}
