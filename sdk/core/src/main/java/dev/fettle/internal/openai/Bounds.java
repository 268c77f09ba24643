package dev.fettle.internal.openai;

/**
 * What clients may ask for at most.
 *
 * @param requests under way at a time; others are told to come again
 * @param choices of one prompt
 * @param samples of one request, over all of its prompts
 * @param texts that one request has embedded or ranked
 */
public record Bounds(int requests, int choices, int samples, int texts) {
  /** What suits one machine. */
  public static Bounds standard() {
    return new Bounds(256, 128, 1024, 2048);
  }
}
