/**
 * Fine-tuning of language models: what trains and samples. {@link dev.fettle.ranking} holds the types of retrieval,
 * {@link dev.fettle.recipes} whole trainings.
 *
 * <p>Begin at {@link dev.fettle.Fettle}: it loads a {@link dev.fettle.BaseModel}; {@code tune} with a
 * {@link dev.fettle.Tuning} begins a {@link dev.fettle.Training}; a {@link dev.fettle.Sampler} gives text. Data are
 * {@link dev.fettle.Example}s in a {@link dev.fettle.Dataset}; a {@link dev.fettle.Renderer} makes tokens of them, and
 * {@link dev.fettle.Batch}es of {@link dev.fettle.Datum}s are what a {@link dev.fettle.Loss} is computed over.
 *
 * <p>Settings are immutable values with documented defaults. Errors are unchecked, below
 * {@link dev.fettle.FettleException}. Arrays and collections given are not changed, and {@code null} is rejected.
 */
@NullMarked
package dev.fettle;

import org.jspecify.annotations.NullMarked;
