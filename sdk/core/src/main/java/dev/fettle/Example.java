package dev.fettle;

/** One thing to learn from, before it is tokens: a {@link Conversation}, a {@link Completion} or a plain {@link Text}. */
public sealed interface Example permits Conversation, Completion, Text {}
