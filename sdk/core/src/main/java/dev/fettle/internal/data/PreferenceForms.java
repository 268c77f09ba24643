package dev.fettle.internal.data;

import dev.fettle.Completion;
import dev.fettle.Conversation;
import dev.fettle.InvalidInputException;
import dev.fettle.Message;
import dev.fettle.Preference;
import dev.fettle.internal.json.ArrayNode;
import dev.fettle.internal.json.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** Pairs of answers as TRL has them, and as OpenAI does. */
final class PreferenceForms {
  private static final Set<String> INPUT = Set.of("messages", "tools", "functions");

  private PreferenceForms() {}

  /** {@code chosen} and {@code rejected}, each a text or a list of messages, with their prompt before them or within them. */
  static Preference pair(JsonNode node, Leftovers leftovers) {
    boolean chats = isChat(node.get("chosen"));
    if (chats != isChat(node.get("rejected"))) {
      throw new InvalidInputException("chosen is " + JsonForms.kind(node.get("chosen")) + " and rejected is "
          + JsonForms.kind(node.get("rejected")) + "; expected two strings or two lists of messages");
    }
    if (chats) {
      List<Message> prompt = node.hasNonNull("prompt") ? prompt(node.get("prompt"), leftovers) : List.of();
      return new Preference(chat(node, prompt, answer(node.get("chosen"), "chosen", leftovers)),
          chat(node, prompt, answer(node.get("rejected"), "rejected", leftovers)));
    }
    RowForms.requireNoSystem(node);
    String chosen = JsonForms.string(node.get("chosen"), "chosen");
    String rejected = JsonForms.string(node.get("rejected"), "rejected");
    if (node.hasNonNull("prompt")) {
      if (isChat(node.get("prompt"))) {
        throw new InvalidInputException("prompt is a list of messages, and chosen and rejected are strings; write them as lists of "
            + "messages too");
      }
      String prompt = JsonForms.string(node.get("prompt"), "prompt");
      return new Preference(new Completion(prompt, chosen), new Completion(prompt, rejected));
    }
    int common = common(chosen, rejected);
    String prompt = chosen.substring(0, common);
    return new Preference(new Completion(prompt, chosen.substring(common)), new Completion(prompt, rejected.substring(common)));
  }

  /** {@code input} with its messages, {@code preferred_output} and {@code non_preferred_output}. */
  static Preference openAi(JsonNode node, Leftovers leftovers) {
    JsonNode input = node.get("input");
    if (!input.isObject() || !input.hasNonNull("messages")) {
      throw new InvalidInputException("input is " + JsonForms.kind(input) + "; expected {\"messages\": [...]}");
    }
    leftovers.within(input, "input", INPUT);
    List<Message> prompt = ChatForms.messages(input.get("messages"), "input.messages", leftovers);
    return new Preference(
        chat(input, prompt, ChatForms.messages(node.get("preferred_output"), "preferred_output", leftovers)),
        chat(input, prompt, ChatForms.messages(node.get("non_preferred_output"), "non_preferred_output", leftovers)));
  }

  private static boolean isChat(JsonNode node) {
    return node.isArray() || node.isObject();
  }

  private static List<Message> prompt(JsonNode prompt, Leftovers leftovers) {
    return prompt.isString() ? List.of(Message.user(JsonForms.string(prompt, "prompt")))
        : ChatForms.messages(prompt, "prompt", leftovers);
  }

  /** An answer that is a list of messages, or one. */
  private static List<Message> answer(JsonNode answer, String place, Leftovers leftovers) {
    JsonNode list = answer.isObject() ? new ArrayNode().add(answer) : answer;
    return ChatForms.messages(list, place, leftovers);
  }

  /** A prompt may be repeated at the beginning of its answers. */
  private static Conversation chat(JsonNode node, List<Message> prompt, List<Message> answer) {
    List<Message> all = new ArrayList<>(repeats(prompt, answer) ? List.of() : prompt);
    all.addAll(answer);
    return RowForms.chat(node, all);
  }

  private static boolean repeats(List<Message> prompt, List<Message> answer) {
    if (prompt.isEmpty() || answer.size() <= prompt.size()) {
      return false;
    }
    int skipped = answer.get(0).role().equals("system") && !prompt.get(0).role().equals("system") ? 1 : 0;
    if (answer.size() <= skipped + prompt.size()) {
      return false;
    }
    for (int i = 0; i < prompt.size(); i++) {
      Message again = answer.get(skipped + i);
      if (!again.role().equals(prompt.get(i).role()) || !again.content().equals(prompt.get(i).content())) {
        return false;
      }
    }
    return true;
  }

  /** How much of two texts is their prompt: what they have in common, without a space at its end. */
  private static int common(String chosen, String rejected) {
    int end = Math.min(chosen.length(), rejected.length());
    int at = 0;
    while (at < end && chosen.charAt(at) == rejected.charAt(at)) {
      at++;
    }
    if (at == chosen.length() || at == rejected.length()) {
      throw new InvalidInputException("chosen and rejected have no prompt beside them, and one of them is how the other begins: "
          + "give the prompt");
    }
    boolean split = at > 0 && (chosen.charAt(at - 1) == ' ' || Character.isHighSurrogate(chosen.charAt(at - 1)));
    return split ? at - 1 : at;
  }
}
