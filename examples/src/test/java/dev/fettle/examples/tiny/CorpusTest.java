package dev.fettle.examples.tiny;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fettle.Conversation;
import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CorpusTest {
  private static final int MANY = 20_000;

  @Test
  void the_same_seed_gives_the_same_conversations() {
    List<Conversation> once = Corpus.stream(5).limit(500).toList();

    assertThat(Corpus.stream(5).limit(500)).containsExactlyElementsOf(once);
    assertThat(Corpus.stream(6).limit(500).toList()).isNotEqualTo(once);
  }

  @Test
  void every_conversation_alternates_user_and_assistant_after_at_most_one_system_message() {
    Corpus.stream(1).limit(MANY).forEach(conversation -> {
      String roles = conversation.messages().stream().map(m -> m.role().substring(0, 1)).collect(Collectors.joining());
      assertThat(roles).matches("s?(ua)+");
    });
  }

  @ParameterizedTest
  @ValueSource(strings = {"shop.txt", "talk.txt", "stories.txt", "tickets.txt"})
  void every_template_becomes_plain_text_of_whole_turns(String resource) {
    Phrases phrases = Phrases.of(Phrases.Part.ALL);
    Random random = new Random(8);
    for (String template : Phrases.lines(resource)) {
      for (int i = 0; i < 50; i++) {
        String[] turns = phrases.scene(random).say(template).split(" => ");
        assertThat(turns.length).as(template).isEven();
        assertThat(turns).allSatisfy(turn -> assertThat(turn).isNotBlank().doesNotContainPattern("[\\[\\]{}|]|=>"));
      }
    }
  }

  @Test
  void the_corpus_never_contains_a_command_of_the_ticket_task() {
    Corpus.stream(3).limit(MANY).flatMap(c -> c.messages().stream()).forEach(message -> assertThat(message.content())
        .doesNotContainPattern("\\b(track|cancel|move|refund|exchange|stock|call) (parcel|order|item|name):"));
  }

  @Test
  void the_first_lessons_only_copy() {
    Corpus.copying(9).limit(1000).forEach(conversation -> {
      assertThat(conversation.messages()).hasSize(2);
      assertThat(conversation.messages().get(0).content()).endsWith(": " + conversation.messages().get(1).content());
    });
  }

  @Test
  void most_conversations_of_a_thousand_are_different() {
    assertThat(Corpus.stream(4).limit(1000).distinct().count()).isGreaterThan(850);
  }
}
