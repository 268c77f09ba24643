package dev.fettle;

import java.time.Instant;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * What a service has stored of a training.
 *
 * @param path where it is, such as {@code tinker://run/weights/name}
 * @param resumable whether it holds the optimizer too; if not, it is weights for sampling
 * @param saved when, if the service says
 * @param bytes how large, if the service says
 * @param expires when the service deletes it, if it does
 * @param model the base model, if the service says
 * @param metadata what it was saved with, see {@link Remote#metadata(Map)}
 */
public record Checkpoint(String path, boolean resumable, Optional<Instant> saved, OptionalLong bytes,
    Optional<Instant> expires, Optional<String> model, Map<String, String> metadata) {
  public Checkpoint {
    Objects.requireNonNull(path, "path");
    Objects.requireNonNull(saved, "saved");
    Objects.requireNonNull(bytes, "bytes");
    Objects.requireNonNull(expires, "expires");
    Objects.requireNonNull(model, "model");
    metadata = Map.copyOf(metadata);
  }

  @Override
  public String toString() {
    String shown = path.replaceAll("[\\p{Cntrl}<>]", " ");
    return "Checkpoint[" + (shown.length() > 65 ? "..." + shown.substring(shown.length() - 62) : shown) + "]";
  }
}
