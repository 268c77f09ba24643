package dev.fettle.internal.text;

import dev.fettle.InvalidInputException;
import dev.fettle.Renderer;
import dev.fettle.Tokenizer;
import dev.fettle.TrainOn;
import dev.fettle.internal.text.QwenFormat.Thinking;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalInt;

/** Chooses chat formats. */
public final class ChatFormats {
  static final Map<String, ChatFormat> FAMILIES = families();
  /** The cookbook's names for the same. */
  private static final Map<String, String> ALIASES =
      Map.of("qwen3-disable-thinking", "qwen3-no-thinking", "role-colon", "roles");

  private ChatFormats() {}

  private static Map<String, ChatFormat> families() {
    Map<String, ChatFormat> result = new LinkedHashMap<>();
    for (ChatFormat format : new ChatFormat[] {new Llama3Format(), new Llama31Format(),
        new QwenFormat("qwen2.5", QwenFormat.QWEN_SYSTEM, Thinking.NONE), new QwenFormat("qwen3", null, Thinking.ON),
        new QwenFormat("qwen3-no-thinking", null, Thinking.OFF), new QwenFormat("qwen3-instruct", null, Thinking.NONE),
        new ChatMlFormat(null), new MistralFormat(), new RolesFormat()}) {
      result.put(format.family(), format);
    }
    return Collections.unmodifiableMap(result);
  }

  /** A renderer by family name; case does not matter, and {@code _} is as good as {@code -}. */
  public static Renderer of(String family, Tokenizer tokenizer) {
    Objects.requireNonNull(family, "family");
    String name = family.toLowerCase(Locale.ROOT).replace('_', '-');
    ChatFormat format = FAMILIES.get(ALIASES.getOrDefault(name, name));
    if (format == null) {
      throw new InvalidInputException("no chat format is called \"" + family + "\"; there are "
          + String.join(", ", FAMILIES.keySet()));
    }
    return of(format, tokenizer, OptionalInt.empty());
  }

  /** The renderer that the tokenizer's own chat template asks for. */
  public static Renderer detect(Tokenizer tokenizer) {
    return detect(tokenizer, "", OptionalInt.empty());
  }

  /**
   * As {@link #detect(Tokenizer)}; the model's name decides where there is no template.
   *
   * @param context the longest sequence that the model takes, if that is known
   */
  public static Renderer detect(Tokenizer tokenizer, String modelName, OptionalInt context) {
    Objects.requireNonNull(modelName, "modelName");
    if (Objects.requireNonNull(tokenizer, "tokenizer").chatTemplate().isPresent() && tokenizer instanceof HfTokenizer own) {
      return of(TemplateFormat.of(own), tokenizer, context);
    }
    ChatFormat format = byName(modelName.toLowerCase(Locale.ROOT));
    boolean usable = format.needs().stream().allMatch(token -> tokenizer.id(token).isPresent());
    return of(usable ? format : new RolesFormat(), tokenizer, context);
  }

  private static Renderer of(ChatFormat format, Tokenizer tokenizer, OptionalInt context) {
    Objects.requireNonNull(tokenizer, "tokenizer");
    for (String token : format.needs()) {
      if (tokenizer.id(token).isEmpty()) {
        throw new InvalidInputException("the chat format " + format.family() + " needs the token " + token
            + ", which this tokenizer does not have");
      }
    }
    return new ChatRenderer(format, tokenizer, TrainOn.LAST_ASSISTANT_MESSAGE, context);
  }

  private static ChatFormat byName(String name) {
    boolean instruct = name.contains("instruct");
    String family = name.contains("qwen3") ? (instruct ? "qwen3-instruct" : "qwen3")
        : name.contains("qwen2.5") ? "qwen2.5"
        : name.matches(".*llama-?3\\.[123].*") ? "llama3.1"
        : name.matches(".*llama-?3.*") ? "llama3"
        : name.contains("mistral-nemo") ? "mistral" : "roles";
    return FAMILIES.get(family);
  }
}
