package dev.fettle;

import java.util.Objects;

/**
 * A function call that an assistant makes.
 *
 * @param id the identifier that the tool's answer refers to; empty if there is none
 * @param name the function's name
 * @param arguments the arguments as JSON text, an object
 */
public record ToolCall(String id, String name, String arguments) {
  public ToolCall {
    Objects.requireNonNull(id, "id");
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(arguments, "arguments");
  }

  @Override
  public String toString() {
    String shown = name.replaceAll("[\\p{Cntrl}<>]", " ");
    return "ToolCall[" + (shown.length() > 40 ? shown.substring(0, 37) + "..." : shown) + ", " + arguments.length()
        + " characters of arguments]";
  }
}
