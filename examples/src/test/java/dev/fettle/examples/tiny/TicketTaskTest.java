package dev.fettle.examples.tiny;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fettle.Conversation;
import dev.fettle.InvalidInputException;
import dev.fettle.Message;
import java.util.List;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class TicketTaskTest {
  private static final Pattern NUMBER = Pattern.compile("\\d{4,}");
  private static final Pattern THING = Pattern.compile("item: [a-z]+ ([a-z]+)");
  private static final Pattern NAME = Pattern.compile("name: (\\w+)");

  @Test
  void the_same_seed_gives_the_same_examples() {
    assertThat(TicketTask.train(400, 3)).isEqualTo(TicketTask.train(400, 3)).isNotEqualTo(TicketTask.train(400, 4));
    assertThat(TicketTask.heldOut(60, 3)).isEqualTo(TicketTask.heldOut(60, 3)).isNotEqualTo(TicketTask.heldOut(60, 4));
  }

  @Test
  void all_messages_are_different() {
    assertThat(TicketTask.train(400, 0).stream().map(TicketTaskTest::message)).doesNotHaveDuplicates();
    assertThat(TicketTask.heldOut(60, 0).stream().map(TicketTaskTest::message)).doesNotHaveDuplicates();
  }

  @Test
  void held_out_cases_use_numbers_things_and_names_that_no_training_example_has() {
    List<Conversation> train = TicketTask.train(2000, 1);
    List<Conversation> held = TicketTask.heldOut(500, 1);

    for (Pattern pattern : List.of(NUMBER, THING, NAME)) {
      assertThat(values(held, pattern)).isNotEmpty().doesNotContainAnyElementsOf(values(train, pattern));
    }
  }

  @Test
  void an_answer_is_one_command_whose_numbers_stand_in_the_message() {
    for (Conversation example : TicketTask.train(1000, 2)) {
      assertThat(example.messages()).hasSize(2);
      String command = example.messages().get(1).content();
      assertThat(command).matches("(track|cancel|move|refund|exchange|stock|call)(,? [a-z]+: [\\w ]+)+");
      NUMBER.matcher(command).results().map(MatchResult::group).forEach(n -> assertThat(message(example)).contains(n));
    }
  }

  @Test
  void asking_for_no_example_is_refused() {
    assertThatThrownBy(() -> TicketTask.train(0, 0)).isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("n = 0");
  }

  private static String message(Conversation example) {
    return example.messages().get(0).content();
  }

  private static Set<String> values(List<Conversation> examples, Pattern pattern) {
    return examples.stream().flatMap(e -> e.messages().stream()).map(Message::content)
        .flatMap(text -> pattern.matcher(text).results())
        .map(r -> r.group(r.groupCount())).collect(Collectors.toSet());
  }
}
