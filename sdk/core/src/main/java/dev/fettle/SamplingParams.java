package dev.fettle;

import dev.fettle.internal.NoNulls;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;

/**
 * How to sample. Immutable.
 *
 * @param maxTokens the most new tokens, default 256
 * @param temperature divides the logits; 0 takes the likeliest token; default 1
 * @param topK only so many of the likeliest tokens; 0, the default, for all
 * @param topP only the likeliest tokens that together have this probability; 1, the default, for all
 * @param seed of the random choices; with the same seed, model and machine the same tokens come
 * @param stop texts that end a sample; they are not part of its text
 * @param stopTokens ids that end a sample, beside the model's own end tokens
 * @param samples how many samples of each prompt, default 1
 * @param ignoreEos whether the model's own end tokens are sampled like any other; default false
 * @param int8 whether new tokens are computed with weights rounded to 8 bits; default false
 */
public record SamplingParams(int maxTokens, double temperature, int topK, double topP, long seed, List<String> stop,
    List<Integer> stopTokens, int samples, boolean ignoreEos, boolean int8) {
  public SamplingParams {
    stop = List.copyOf(NoNulls.in(stop, "stop"));
    stopTokens = List.copyOf(NoNulls.in(stopTokens, "stopTokens"));
    require(maxTokens >= 1, "maxTokens", maxTokens, "at least 1");
    require(temperature >= 0 && temperature < Double.POSITIVE_INFINITY, "temperature", temperature, "at least 0");
    require(topK >= 0, "topK", topK, "at least 0");
    require(topP > 0 && topP <= 1, "topP", topP, "more than 0 and at most 1");
    require(samples >= 1, "samples", samples, "at least 1");
    if (stop.stream().anyMatch(String::isEmpty)) {
      throw new InvalidInputException("stop: an empty text would end every sample at once");
    }
  }

  /** The defaults. */
  public static SamplingParams standard() {
    return new SamplingParams(256, 1, 0, 1, 0, List.of(), List.of(), 1, false, false);
  }

  /** The likeliest token at every position. */
  public static SamplingParams greedy() {
    return standard().temperature(0);
  }

  /** With another limit of new tokens. */
  public SamplingParams maxTokens(int value) {
    return new SamplingParams(value, temperature, topK, topP, seed, stop, stopTokens, samples, ignoreEos, int8);
  }

  /** With another temperature. */
  public SamplingParams temperature(double value) {
    return new SamplingParams(maxTokens, value, topK, topP, seed, stop, stopTokens, samples, ignoreEos, int8);
  }

  /** With only the {@code value} likeliest tokens. */
  public SamplingParams topK(int value) {
    return new SamplingParams(maxTokens, temperature, value, topP, seed, stop, stopTokens, samples, ignoreEos, int8);
  }

  /** With only the likeliest tokens that together have probability {@code value}. */
  public SamplingParams topP(double value) {
    return new SamplingParams(maxTokens, temperature, topK, value, seed, stop, stopTokens, samples, ignoreEos, int8);
  }

  /** With another seed. */
  public SamplingParams seed(long value) {
    return new SamplingParams(maxTokens, temperature, topK, topP, value, stop, stopTokens, samples, ignoreEos, int8);
  }

  /** With texts that end a sample. */
  public SamplingParams stop(String... texts) {
    return new SamplingParams(maxTokens, temperature, topK, topP, seed, List.of(NoNulls.in(texts, "texts")), stopTokens,
        samples, ignoreEos, int8);
  }

  /** With token ids that end a sample. */
  public SamplingParams stopTokens(int... ids) {
    List<Integer> boxed = Arrays.stream(Objects.requireNonNull(ids, "ids")).boxed().toList();
    return new SamplingParams(maxTokens, temperature, topK, topP, seed, stop, boxed, samples, ignoreEos, int8);
  }

  /** Also stopping where a message of a chat format ends, as {@link Sampler#chat} and its kin do. */
  public SamplingParams stoppingAtEndOf(Renderer format) {
    List<String> texts = new ArrayList<>(stop);
    texts.addAll(Objects.requireNonNull(format, "format").stopStrings());
    List<Integer> ids = new ArrayList<>(stopTokens);
    ids.addAll(format.stopTokens());
    return new SamplingParams(maxTokens, temperature, topK, topP, seed, texts, ids, samples, ignoreEos, int8);
  }

  /** With several samples of each prompt. */
  public SamplingParams samples(int value) {
    return new SamplingParams(maxTokens, temperature, topK, topP, seed, stop, stopTokens, value, ignoreEos, int8);
  }

  /** Continuing past the model's own end tokens, until the limit or a stop of these parameters. */
  public SamplingParams ignoringEos() {
    return new SamplingParams(maxTokens, temperature, topK, topP, seed, stop, stopTokens, samples, true, int8);
  }

  /**
   * With each matrix of the model rounded to 8-bit integers and a scale for each of its rows while new tokens are
   * computed: fewer bytes to read, so that decoding one sequence at a time is faster. Adapters, norms and the reading of
   * the prompt keep all their bits. On {@code fettle-tiny} logprobs move by 0.01 nats. Only on this machine; for models of
   * any {@link DType}.
   */
  public SamplingParams eightBit() {
    return new SamplingParams(maxTokens, temperature, topK, topP, seed, stop, stopTokens, samples, ignoreEos, true);
  }

  private static void require(boolean condition, String name, double value, String what) {
    if (!condition) {
      throw new InvalidInputException(name + " " + value + ": give " + what);
    }
  }

  @Override
  public String toString() {
    return "SamplingParams[max " + maxTokens + ", temperature " + temperature + ", seed " + seed + "]";
  }
}
