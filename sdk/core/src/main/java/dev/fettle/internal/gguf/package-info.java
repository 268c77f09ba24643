/**
 * Files in llama.cpp's format GGUF: the format itself ({@link dev.fettle.internal.gguf.GgufFile},
 * {@link dev.fettle.internal.gguf.GgufWriter}), its types of blocks, and what a model's description, weights and tokenizer are
 * called in it.
 */
package dev.fettle.internal.gguf;
