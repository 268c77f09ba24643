/**
 * Files: safetensors, Hugging Face model directories, PEFT adapter settings, and saving that a kill cannot spoil.
 * Start at {@link dev.fettle.internal.checkpoint.ModelDirectory} to read and at
 * {@link dev.fettle.internal.checkpoint.AtomicFiles} to write. Everything read is validated before it is used; each
 * error names its file.
 */
package dev.fettle.internal.checkpoint;
