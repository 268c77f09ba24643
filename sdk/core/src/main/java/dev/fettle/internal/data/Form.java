package dev.fettle.internal.data;

import dev.fettle.internal.json.JsonNode;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** What a row may be, by the fields that it must have, and which more it may have. The first that fits is taken. */
enum Form {
  PAIR(List.of("chosen", "rejected"), "prompt", "system", "tools", "functions"),
  OPENAI_PAIR(List.of("input", "preferred_output", "non_preferred_output")),
  FEEDBACK(List.of("prompt", "completion", "label"), "system", "tools", "functions"),
  MESSAGES(List.of("messages"), "system", "tools", "functions"),
  CONVERSATIONS(List.of("conversations"), "system", "tools", "functions"),
  COMPLETION(List.of("prompt", "completion"), "system", "tools", "functions"),
  ALPACA(List.of("instruction", "output"), "input", "system", "tools", "functions"),
  TEXT(List.of("text"));

  private final List<String> required;
  private final Set<String> all;

  Form(List<String> required, String... optional) {
    this.required = required;
    this.all = Stream.concat(required.stream(), Stream.of(optional)).collect(Collectors.toUnmodifiableSet());
  }

  List<String> required() {
    return required;
  }

  /** All fields that are read of it. */
  Set<String> fields() {
    return all;
  }

  boolean fits(JsonNode row) {
    return required.stream().allMatch(row::hasNonNull) && (this != FEEDBACK || row.path("label").isBoolean());
  }

  /** The fields of all forms, in the order of the alphabet. */
  static Set<String> names() {
    Set<String> names = new TreeSet<>();
    Stream.of(values()).forEach(form -> names.addAll(form.all));
    return names;
  }
}
