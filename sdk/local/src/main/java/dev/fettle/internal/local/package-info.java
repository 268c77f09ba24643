/**
 * The local backend: loading ({@code LocalModel}), what is trained ({@code LoraWeights}, {@code FullWeights}), a step
 * ({@code LocalTraining}), sampling ({@code LocalSampler}). All native work runs on one {@code EngineThread}.
 */
package dev.fettle.internal.local;
