package dev.fettle.internal.text;

import dev.fettle.Completion;
import dev.fettle.Conversation;
import dev.fettle.Example;
import dev.fettle.Feedback;
import dev.fettle.InvalidInputException;
import dev.fettle.Message;
import dev.fettle.Preference;
import dev.fettle.Rendered;
import dev.fettle.Renderer;
import dev.fettle.Text;
import dev.fettle.Tokenizer;
import dev.fettle.TrainOn;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.OptionalInt;

/** A chat format at work with a tokenizer. */
final class ChatRenderer implements Renderer {
  private final ChatFormat format;
  private final Tokenizer tokenizer;
  private final TrainOn parts;
  private final OptionalInt context;
  private final PlainText plain;
  private final UnreadFields unread;

  ChatRenderer(ChatFormat format, Tokenizer tokenizer, TrainOn parts, OptionalInt context) {
    this(format, tokenizer, parts, context, new PlainText(tokenizer, PlainText.Trust.SAID_ONCE), new UnreadFields());
  }

  private ChatRenderer(ChatFormat format, Tokenizer tokenizer, TrainOn parts, OptionalInt context, PlainText plain, UnreadFields unread) {
    this.format = format;
    this.tokenizer = tokenizer;
    this.parts = parts;
    this.context = context;
    this.plain = plain;
    this.unread = unread;
  }

  ChatFormat format() {
    return format;
  }

  @Override
  public List<Rendered> render(Example example) {
    return sequences(example).stream().map(MarkedSequence::rendered).toList();
  }

  private List<MarkedSequence> sequences(Example example) {
    Objects.requireNonNull(example, "example");
    if (example instanceof Conversation conversation) {
      return conversation(conversation);
    }
    if (example instanceof Preference) {
      throw new InvalidInputException("a pair of a chosen and a rejected answer: Dpo learns from such pairs. To learn the chosen "
          + "answers alone, name them: fields(\"messages=chosen\"), or of texts fields(\"prompt=prompt\", \"completion=chosen\")");
    }
    if (example instanceof Feedback) {
      throw new InvalidInputException("an answer with feedback, from a row with a label: Kto learns from it, nothing else does, as an "
          + "answer that is labelled false would be learnt as a good one. Keep the rows that are labelled true, without the label");
    }
    return List.of(MarkedSequence.ofPlain(tokenizer, example instanceof Completion completion
        ? plain.render(completion.prompt(), completion.completion()) : plain.render("", ((Text) example).text())));
  }

  private List<MarkedSequence> conversation(Conversation conversation) {
    BitSet trained = Selection.of(conversation, parts);
    unread.tell(conversation, format);
    if (parts == TrainOn.ALL_TOKENS) {
      Written written = write(conversation, false).told();
      return List.of(new MarkedSequence(written.allTrained(tokenizer), written::fields));
    }
    if (!format.rewritesHistory(conversation, trained, tokenizer, plain.trusts())) {
      return List.of(sequence(conversation, trained));
    }
    List<MarkedSequence> result = new ArrayList<>();
    List<Message> messages = conversation.messages();
    BitSet others = (BitSet) trained.clone();
    for (int i = trained.nextSetBit(0); i >= 0; i = trained.nextSetBit(i + 1)) {
      if (Selection.assistant(messages, i)) {
        Conversation until = new Conversation(messages.subList(0, i + 1), conversation.tools());
        add(result, sequence(until, only(i)));
        others.clear(i);
      }
    }
    if (!others.isEmpty()) {
      add(result, sequence(conversation, others));
    }
    return List.copyOf(result);
  }

  private MarkedSequence sequence(Conversation conversation, BitSet trained) {
    Written written = write(conversation, false).told();
    return new MarkedSequence(written.trained(trained), written::fields);
  }

  private static BitSet only(int index) {
    BitSet set = new BitSet();
    set.set(index);
    return set;
  }

  /** Adds a sequence, together with the one before if that is its beginning. */
  private static void add(List<MarkedSequence> result, MarkedSequence sequence) {
    Rendered next = sequence.rendered();
    if (!result.isEmpty()) {
      Rendered before = result.get(result.size() - 1).rendered();
      int n = before.length();
      if (n <= next.length() && Arrays.equals(before.tokens(), 0, n, next.tokens(), 0, n)) {
        for (int i = 0; i < n; i++) {
          next.weights()[i] = Math.max(next.weights()[i], before.weights()[i]);
        }
        result.remove(result.size() - 1);
      }
    }
    result.add(sequence);
  }

  /** A conversation, with what an answer begins with if one is to be generated. */
  Written write(Conversation conversation, boolean generate) {
    return format.write(conversation, generate, tokenizer, plain.trusts());
  }

  @Override
  public int[] prompt(Conversation conversation) {
    return write(Objects.requireNonNull(conversation, "conversation"), true).told().tokens();
  }

  @Override
  public Renderer trainOn(TrainOn other) {
    return new ChatRenderer(format, tokenizer, Objects.requireNonNull(other, "parts"), context, plain, unread);
  }

  @Override
  public Renderer trust(boolean text) {
    return new ChatRenderer(format, tokenizer, parts, context,
        new PlainText(tokenizer, text ? PlainText.Trust.ALWAYS : PlainText.Trust.NEVER), unread);
  }

  @Override
  public Renderer with(String name, Object value) {
    return new ChatRenderer(format.with(Objects.requireNonNull(name, "name"), value), tokenizer, parts, context, plain, unread);
  }

  @Override
  public List<Integer> stopTokens() {
    return format.stopTokens(tokenizer);
  }

  @Override
  public List<String> stopStrings() {
    return format.stopStrings();
  }

  @Override
  public Message parse(int[] sampled) {
    Objects.requireNonNull(sampled, "sampled");
    List<Integer> stops = stopTokens();
    int end = 0;
    while (end < sampled.length && !stops.contains(sampled[end])) {
      end++;
    }
    int[] ids = Arrays.stream(sampled, 0, end).filter(id -> id >= 0 && id < tokenizer.vocabSize()).toArray();
    String text = format.parsesSpecials() ? tokenizer.decodeAll(ids) : tokenizer.decode(ids);
    for (String stop : stopStrings()) {
      text = text.contains(stop) ? text.substring(0, text.indexOf(stop)) : text;
    }
    return format.parse(text);
  }

  @Override
  public String show(Example example, boolean colour) {
    return MaskText.of(tokenizer, sequences(example), colour ? Look.ANSI : Look.BRACKETS);
  }

  @Override
  public String html(Example example) {
    return MaskText.of(tokenizer, sequences(example), Look.HTML);
  }

  @Override
  public OptionalInt contextLength() {
    return context;
  }

  @Override
  public String family() {
    return format.family();
  }

  @Override
  public Tokenizer tokenizer() {
    return tokenizer;
  }

  @Override
  public String toString() {
    return "Renderer[" + family() + ", trains " + parts.name().toLowerCase(Locale.ROOT).replace('_', ' ') + "]";
  }
}
