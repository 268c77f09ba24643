package dev.fettle.internal.data;

import dev.fettle.Example;

/**
 * An example and where it came from.
 *
 * @param origin for error messages: {@code train.jsonl:17} or {@code example 17}
 */
public record Item(Example example, String origin) {}
