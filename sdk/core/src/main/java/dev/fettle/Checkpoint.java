package dev.fettle;

import java.time.Instant;
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
 */
public record Checkpoint(String path, boolean resumable, Optional<Instant> saved, OptionalLong bytes,
    Optional<Instant> expires) {
  public Checkpoint {
    Objects.requireNonNull(path, "path");
    Objects.requireNonNull(saved, "saved");
    Objects.requireNonNull(bytes, "bytes");
    Objects.requireNonNull(expires, "expires");
  }

  @Override
  public String toString() {
    String shown = path.replaceAll("[\\p{Cntrl}<>]", " ");
    return "Checkpoint[" + (shown.length() > 65 ? "..." + shown.substring(shown.length() - 62) : shown) + "]";
  }
}
