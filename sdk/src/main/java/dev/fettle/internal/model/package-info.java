/**
 * The network: its settings ({@link dev.fettle.internal.model.ModelConfig}), its weights by name
 * ({@link dev.fettle.internal.model.WeightNames}) and its mathematics.
 */
package dev.fettle.internal.model;
