package dev.fettle;

/**
 * One thing to learn from, before it is tokens: a {@link Conversation}, a {@link Completion}, a plain {@link Text}, a
 * {@link Preference} between two of the first two, or {@link Feedback} on one of them.
 */
public sealed interface Example permits Conversation, Completion, Text, Preference, Feedback {}
