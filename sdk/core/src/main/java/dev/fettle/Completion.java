package dev.fettle;

import java.util.Objects;

/**
 * A prompt and what should follow it; only the completion is trained.
 *
 * @param prompt what is given; may be empty
 * @param completion what is to be learnt; not empty
 */
public record Completion(String prompt, String completion) implements Example {
  public Completion {
    Objects.requireNonNull(prompt, "prompt");
    Objects.requireNonNull(completion, "completion");
    if (completion.isEmpty()) {
      throw new InvalidInputException("completion is empty");
    }
  }

  @Override
  public String toString() {
    return "Completion[" + prompt.length() + " + " + completion.length() + " characters]";
  }
}
