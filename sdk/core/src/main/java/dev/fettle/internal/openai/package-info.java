/**
 * Calls that clients of OpenAI make: chats, completions, embeddings, and rankings as Jina and Cohere have them. {@code OpenAi} knows
 * the calls, {@code Fields} reads a request and refuses what nobody reads, {@code Samples} holds what comes of it.
 */
package dev.fettle.internal.openai;
