package dev.fettle;

/** What is trained of a model: {@link Lora} adapters beside frozen weights, or the weights themselves ({@link Full}). */
public sealed interface Tuning permits Lora, Full {}
