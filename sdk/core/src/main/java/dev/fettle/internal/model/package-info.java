/**
 * Descriptions of networks: what {@code config.json} says ({@link dev.fettle.internal.model.ModelConfig}), a class for each
 * family ({@link dev.fettle.internal.model.Architecture}), where each weight lives
 * ({@link dev.fettle.internal.model.Layout}). Nothing here computes.
 */
package dev.fettle.internal.model;
