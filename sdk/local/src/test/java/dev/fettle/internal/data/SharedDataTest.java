package dev.fettle.internal.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.fettle.Completion;
import dev.fettle.Conversation;
import dev.fettle.Dataset;
import dev.fettle.Example;
import dev.fettle.InvalidInputException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class SharedDataTest {
  private static Path shared(String name) {
    Path file = Path.of(System.getProperty("fettle.shared", "../../shared"), "data", name);
    assumeTrue(Files.exists(file), file + " is absent");
    return file;
  }

  @Test
  void conversationsOfTheTinkerCookbookLoad() {
    Dataset data = Dataset.jsonl(shared("tinker-cookbook-data/conversations.jsonl"));
    assertThat(data.count()).isEqualTo(128);
    int messages = 0;
    for (Example example : data.examples()) {
      messages += ((Conversation) example).messages().size();
    }
    assertThat(messages).isEqualTo(128 + 128 + 25);
  }

  @Test
  void gsm8kIsNamedAsAnotherFormAndReadByAFunction() {
    Path file = shared("gsm8k/train.jsonl");
    assertThatThrownBy(() -> Dataset.jsonl(file).count()).isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("train.jsonl:1: an object with the keys question, answer; expected {\"messages\"")
        .hasMessageContaining("Dataset.jsonl(path, line -> ...)");
    Dataset data = Dataset.jsonl(file,
        line -> new Completion((String) line.get("question"), (String) line.get("answer")));
    assertThat(data.count()).isEqualTo(7473);
    Dataset[] parts = data.split(0.9, 0.1);
    assertThat(parts[0].count() + parts[1].count()).isEqualTo(7473);
    assertThat(parts[1].count()).isBetween(747L - 130, 747L + 130);
  }
}
