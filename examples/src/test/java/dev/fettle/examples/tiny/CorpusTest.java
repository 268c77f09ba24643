package dev.fettle.examples.tiny;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fettle.Conversation;
import dev.fettle.Message;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

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

  @Test
  void no_template_mark_is_left_in_the_text() {
    Corpus.stream(2).limit(MANY).flatMap(c -> c.messages().stream()).map(Message::content)
        .forEach(text -> assertThat(text).isNotBlank().doesNotContainPattern("[\\[\\]{}|]").doesNotContain("=>"));
  }

  @Test
  void the_corpus_never_contains_a_command_of_the_ticket_task() {
    Corpus.stream(3).limit(MANY).flatMap(c -> c.messages().stream()).map(Message::content)
        .forEach(text -> assertThat(text).doesNotContain("="));
  }

  @Test
  void most_conversations_of_a_thousand_are_different() {
    assertThat(Corpus.stream(4).limit(1000).distinct().count()).isGreaterThan(850);
  }
}
