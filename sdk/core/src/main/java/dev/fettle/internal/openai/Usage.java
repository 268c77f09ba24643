package dev.fettle.internal.openai;

import java.util.Map;
import java.util.TreeMap;

/** How many tokens a request took. Not thread-safe. */
final class Usage {
  private final int prompt;
  private int sampled;
  private int reasoning;

  Usage(int prompt) {
    this.prompt = prompt;
  }

  void sampled(boolean thought) {
    sampled++;
    reasoning += thought ? 1 : 0;
  }

  /** @param cached how many tokens of the prompts had been read before */
  Map<String, Object> json(int cached) {
    Map<String, Object> out = new TreeMap<>();
    out.put("prompt_tokens", prompt);
    out.put("completion_tokens", sampled);
    out.put("total_tokens", prompt + sampled);
    out.put("prompt_tokens_details", Map.of("cached_tokens", cached));
    out.put("completion_tokens_details", Map.of("reasoning_tokens", reasoning));
    return out;
  }
}
