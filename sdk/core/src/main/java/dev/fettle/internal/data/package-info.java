/** Streams of examples: JSON Lines, shuffling, mixing, splitting, and their way into batches. Not public API. */
package dev.fettle.internal.data;
