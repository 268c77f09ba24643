package dev.fettle;

/**
 * What is trained of a model: {@link Lora} adapters beside frozen weights, weights themselves ({@link Full}), or both
 * ({@link Hybrid}). All run through the same {@link Training#forwardBackward} and {@link Training#optimStep}.
 */
public sealed interface Tuning permits Lora, Full, Hybrid {}
