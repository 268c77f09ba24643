package dev.fettle.examples.tiny;

import dev.fettle.Conversation;
import dev.fettle.Message;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;

/**
 * The text that {@code fettle-tiny} is pre-trained on: an endless stream of conversations about a small made-up world
 * with a web shop, its parcels, its towns and stories. The same seed gives the same stream on every machine.
 */
public final class Corpus {
  private static final double SYSTEM_SHARE = 0.15;
  private static final double ONE_MORE_EXCHANGE = 0.35;
  private static final int MOST_EXCHANGES = 5;
  private static final String SYSTEM = "[You are a helpful assistant.|You work for {shop}."
      + "|You are the assistant of {shop}.|You help the customers of {shop}.|Answer kindly.|You are friendly and brief.|Help the customer.]";

  private final Phrases phrases = Phrases.of(Phrases.Part.ALL);
  private final List<String> shop = Phrases.lines("shop.txt");
  private final List<String> talk = Phrases.lines("talk.txt");
  private final List<String> stories = Phrases.lines("stories.txt");
  private final Random random;
  private final Skills skills;

  private Corpus(long seed) {
    random = new Random(seed);
    skills = new Skills(phrases, random);
  }

  /** The conversations of a seed, without end; use {@link Stream#limit}. */
  public static Stream<Conversation> stream(long seed) {
    Corpus corpus = new Corpus(seed);
    return Stream.generate(corpus::next);
  }

  /**
   * Conversations that only copy, without end: the first lessons. A model that starts with them learns to look things
   * up in what was said, on which all else builds; without them that takes more than twice as long.
   */
  public static Stream<Conversation> copying(long seed) {
    Corpus corpus = new Corpus(seed);
    return Stream.generate(() -> conversation(new ArrayList<>(), corpus.skills.dictate()));
  }

  private Conversation next() {
    List<Message> messages = new ArrayList<>();
    if (random.nextDouble() < SYSTEM_SHARE) {
      messages.add(Message.system(phrases.scene(random).say(SYSTEM)));
    }
    Conversation conversation = conversation(messages, exchange());
    for (int i = 1; i < MOST_EXCHANGES && random.nextDouble() < ONE_MORE_EXCHANGE; i++) {
      conversation = conversation(conversation.messages(), exchange());
    }
    return conversation;
  }

  private static Conversation conversation(List<Message> before, String exchange) {
    List<Message> messages = new ArrayList<>(before);
    String[] turns = exchange.split(" => ");
    for (int i = 0; i < turns.length; i++) {
      messages.add(i % 2 == 0 ? Message.user(turns[i]) : Message.assistant(turns[i]));
    }
    return new Conversation(messages, List.of());
  }

  private String exchange() {
    double kind = random.nextDouble();
    if (kind < 0.45) {
      return skills.next();
    }
    List<String> templates = kind < 0.75 ? shop : kind < 0.90 ? talk : stories;
    return phrases.scene(random).say(templates.get(random.nextInt(templates.size())));
  }
}
