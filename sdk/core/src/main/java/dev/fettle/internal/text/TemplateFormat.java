package dev.fettle.internal.text;

import dev.fettle.Conversation;
import dev.fettle.InvalidInputException;
import dev.fettle.Message;
import dev.fettle.Tokenizer;
import dev.fettle.internal.PlainValues;
import dev.fettle.internal.json.JsonNode;
import dev.fettle.internal.template.ChatTemplate;
import dev.fettle.internal.template.JsonValues;
import dev.fettle.internal.template.Origin;
import dev.fettle.internal.template.Origin.Field;
import dev.fettle.internal.template.Text;
import java.time.Clock;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** The model's own chat template, as transformers runs it. */
final class TemplateFormat implements ChatFormat {
  private static final List<String> GIVEN = List.of("messages", "tools", "add_generation_prompt");

  private final HfTokenizer tokenizer;
  private final Map<Boolean, ChatTemplate> templates = new ConcurrentHashMap<>();
  private final Clock clock = Clock.fixed(Clock.systemDefaultZone().instant(), Clock.systemDefaultZone().getZone());
  private final Omissions omissions = new Omissions();
  private final Map<String, Object> given;
  private volatile List<Integer> stops;

  /** @param given the template's variables beside the messages */
  private TemplateFormat(HfTokenizer tokenizer, Map<String, Object> given) {
    this.tokenizer = tokenizer;
    this.given = given;
  }

  /** As the tokenizer's files have it. */
  static TemplateFormat of(HfTokenizer tokenizer) {
    Map<String, Object> tokens = new HashMap<>();
    tokenizer.config().tokens().forEach((name, token) -> tokens.put(name, Text.of(token, Origin.TEMPLATE)));
    return new TemplateFormat(tokenizer, tokens);
  }

  /** The template, read when it is first needed: a model whose template is broken still takes texts. */
  private ChatTemplate template(boolean tools) {
    return templates.computeIfAbsent(tools, with -> ChatTemplate.parse(tokenizer.config().chatTemplate(with).orElseThrow(),
        "the chat template of " + tokenizer.config().directory()));
  }

  @Override
  public String family() {
    return "template";
  }

  @Override
  public ChatFormat with(String name, Object value) {
    if (GIVEN.contains(name)) {
      throw new InvalidInputException(name + " comes from each conversation and is no variable to set");
    } else if (!reads(name)) {
      throw new InvalidInputException("the chat template of " + tokenizer.config().directory() + " reads no \"" + name
          + "\": it would change nothing");
    }
    Map<String, Object> more = new HashMap<>(given);
    Origin origin = tokenizer.config().tokens().containsKey(name) ? Origin.TEMPLATE : new Origin(Origin.NOBODY, Field.TOOLS);
    more.put(name, JsonValues.of(JsonNode.of(PlainValues.copyOf(value, name)), origin));
    return new TemplateFormat(tokenizer, more);
  }

  @Override
  public boolean reads(String field) {
    return template(false).reads(field) || template(true).reads(field);
  }

  @Override
  public List<String> needs() {
    return List.of();
  }

  /** What the template writes for parts of a conversation; each is written once. Not thread-safe. */
  static final class Writing {
    private final ChatTemplate template;
    private final TemplateInput input;
    private final Clock clock;
    private final Map<List<Object>, Text> written = new HashMap<>();

    private Writing(ChatTemplate template, TemplateInput input, Clock clock) {
      this.template = template;
      this.input = input;
      this.clock = clock;
    }

    Text until(int count, boolean generate) {
      return written.computeIfAbsent(List.of(count, generate),
          part -> template.render(input.until(count, generate), input.characters(), clock));
    }

    /** The same, or null where the template refuses so few messages. */
    Text untilIfAny(int count, boolean generate) {
      try {
        return until(count, generate);
      } catch (InvalidInputException e) {
        return null;
      }
    }
  }

  /** Messages as their file has them, or where the template fails on that or leaves them out, as most templates take them. */
  private Writing writing(Conversation conversation, boolean generate) {
    ChatTemplate template = template(!conversation.tools().isEmpty());
    Writing exact = new Writing(template, new TemplateInput(conversation, template, true, given), clock);
    if (!TemplateInput.hasForms(conversation, template)) {
      return exact;
    }
    int count = conversation.messages().size();
    Text text = exact.untilIfAny(count, generate);
    int lost = text == null ? Integer.MAX_VALUE : Omissions.count(conversation, text);
    if (lost > 0) {
      Writing plain = new Writing(template, new TemplateInput(conversation, template, false, given), clock);
      Text other = plain.untilIfAny(count, generate);
      if (other != null && Omissions.count(conversation, other) < lost) {
        return plain;
      }
    }
    return exact;
  }

  @Override
  public Written write(Conversation conversation, boolean generate, Tokenizer same, boolean trust) {
    Writing writing = writing(conversation, generate);
    Text text = writing.until(conversation.messages().size(), generate);
    omissions.tell(conversation, text);
    return new TemplateText(conversation, writing, text, tokenizer.encode(text, trust), tokenizer.specials(text, trust), omissions);
  }

  @Override
  public boolean rewritesHistory(Conversation conversation, BitSet trained, Tokenizer same, boolean trust) {
    List<Message> messages = conversation.messages();
    Writing writing = writing(conversation, false);
    String whole = null;
    for (int i = trained.nextSetBit(0); i >= 0; i = trained.nextSetBit(i + 1)) {
      if (i < messages.size() - 1 && Selection.assistant(messages, i)) {
        whole = whole == null ? writing.until(messages.size(), false).chars() : whole;
        Text part = writing.untilIfAny(i + 1, false);
        if (part != null) {
          Turns turns = new Turns(writing, part, tokenizer.specials(part, trust));
          int end = turns.output(i, true).stream().mapToInt(range -> range[1]).max().orElse(part.chars().length());
          if (!whole.startsWith(part.chars().substring(0, end))) {
            return true;
          }
        }
      }
    }
    return false;
  }

  /** What ends an answer in the template, and what ends a text. */
  @Override
  public List<Integer> stopTokens(Tokenizer same) {
    List<Integer> found = stops;
    if (found == null) {
      found = findStops();
      stops = found;
    }
    return found;
  }

  private List<Integer> findStops() {
    List<Integer> found = new ArrayList<>();
    Conversation probe = Conversation.of(Message.user("a"), Message.assistant("b"));
    Writing writing = writing(probe, false);
    Text text = writing.untilIfAny(2, false);
    if (text != null) {
      List<SpecialTokens.Match> specials = tokenizer.specials(text, false);
      for (int[] range : new Turns(writing, text, specials).output(1, true)) {
        specials.stream().filter(match -> match.end() == range[1]).forEach(match -> found.add(match.id()));
      }
    }
    tokenizer.eos().stream().filter(eos -> !found.contains(eos)).forEach(found::add);
    return List.copyOf(found);
  }

  @Override
  public boolean parsesSpecials() {
    return true;
  }

  @Override
  public Message parse(String text) {
    return Answers.of(template(true)).parse(text);
  }
}
