/**
 * The network: what {@code config.json} says ({@link dev.fettle.internal.model.ModelConfig}), where each weight lives
 * ({@link dev.fettle.internal.model.Layout}), forward and backward over packed sequences
 * ({@link dev.fettle.internal.model.Network}), and decoding with a cache ({@link dev.fettle.internal.model.Decoder}).
 */
package dev.fettle.internal.model;
