/**
 * Where the embedded model {@code fettle-tiny} comes from: the text that it is trained on, its tokenizer, its shape,
 * and the task that the quickstart teaches it.
 *
 * <p>{@link dev.fettle.examples.tiny.Corpus} talks about a small made-up world, {@link
 * dev.fettle.examples.tiny.TokenizerTrainer} makes a vocabulary from that talk, {@link
 * dev.fettle.examples.tiny.TinyRecipe} says how the model is built and trained, and {@link
 * dev.fettle.examples.tiny.TicketTask} is the job that the model learns afterwards. The sentences and words are
 * resources of this package.
 */
package dev.fettle.examples.tiny;
