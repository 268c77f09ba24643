package dev.fettle;

import dev.fettle.internal.OneLine;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What stands before each text that is embedded, as some encoders have learnt: {@code "query: "} before what is sought,
 * {@code "passage: "} before what is found. Immutable.
 *
 * <pre>{@code
 * model.embed(questions, Prompt.named("query"));
 * }</pre>
 */
public final class Prompt {
  private final @Nullable String name;
  private final @Nullable String text;

  private Prompt(@Nullable String name, @Nullable String text) {
    this.name = name;
    this.text = text;
  }

  /** That which the model has under a name, see {@link BaseModel#prompts()}. */
  public static Prompt named(String name) {
    return new Prompt(Objects.requireNonNull(name, "name"), null);
  }

  /** A text; the one to embed follows it without anything between them. */
  public static Prompt of(String text) {
    return new Prompt(null, Objects.requireNonNull(text, "text"));
  }

  /** Nothing, whatever the model's default is. */
  public static Prompt none() {
    return of("");
  }

  /** The name, if it is chosen by one. */
  public Optional<String> name() {
    return Optional.ofNullable(name);
  }

  /** The text, if it is not chosen by a name. */
  public Optional<String> text() {
    return Optional.ofNullable(text);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Prompt prompt && Objects.equals(prompt.name, name) && Objects.equals(prompt.text, text);
  }

  @Override
  public int hashCode() {
    return Objects.hash(name, text);
  }

  @Override
  public String toString() {
    return OneLine.of("Prompt", name != null ? name : none().equals(this) ? "none" : "\"" + text + "\"");
  }
}
