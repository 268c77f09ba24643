package dev.fettle.internal.text;

import dev.fettle.Message;
import dev.fettle.internal.template.ChatTemplate;

/** How a model with a template of its own writes reasoning and tool calls, as far as that can be read back. */
enum Answers {
  MISTRAL {
    @Override
    Message parse(String text) {
      return new MistralFormat().parse(text);
    }
  },
  LLAMA {
    @Override
    Message parse(String text) {
      return new Llama31Format().parse(text);
    }
  },
  TAGS {
    @Override
    Message parse(String text) {
      return ToolCalls.parse(Reasoning.parse(text));
    }
  };

  /** The way that a template's text points to. Only what is parsed back hangs on it, never what is written. */
  static Answers of(ChatTemplate template) {
    return template.mentions("[TOOL_CALLS]") ? MISTRAL
        : template.mentions("<|start_header_id|>") && template.mentions("\"parameters\"") ? LLAMA : TAGS;
  }

  /** The assistant's message in a text without its end. */
  abstract Message parse(String text);
}
