package dev.fettle.internal.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.fettle.Completion;
import dev.fettle.Conversation;
import dev.fettle.Dataset;
import dev.fettle.InvalidInputException;
import dev.fettle.Message;
import dev.fettle.Text;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FieldsTest {
  @TempDir Path dir;

  private Dataset data(String... lines) {
    return Dataset.jsonl(Fakes.write(dir.resolve("a.jsonl"), lines));
  }

  @Test
  void columnsByOtherNames() {
    Dataset data = data("{\"question\":\"q\",\"answer\":\"a\",\"text\":\"t\",\"prompt\":\"no\"}");
    assertThat(data.fields("prompt=question", "completion=answer").examples()).containsExactly(new Completion("q", "a"));
    assertThat(data.fields("instruction = question", " output=answer").examples())
        .containsExactly(Conversation.of(Message.user("q"), Message.assistant("a")));
    assertThat(data.fields("text=answer").examples()).containsExactly(new Text("a"));
    assertThat(data.fields("completion=answer").examples()).as("the prompt has its own name").containsExactly(new Completion("no", "a"));
    assertThat(data.examples()).containsExactly(new Text("t"));
  }

  @Test
  void columnsWithinOthersAndNamesWithDotsAndEqualsSigns() {
    Dataset data = data("{\"q.x\":\"q\",\"answers\":{\"text\":[\"a\",\"b\"]},\"c=d\":\"s\"}");
    assertThat(data.fields("instruction=q.x", "output=answers.text.1", "system=c=d").examples())
        .containsExactly(Conversation.of(Message.system("s"), Message.user("q"), Message.assistant("b")));
  }

  @Test
  void whatIsMissingIsSaidWithTheColumnsThatThereAre() {
    Dataset data = data("{\"question\":\"q\",\"answer\":{\"text\":\"a\"},\"n\":1}", "{\"question\":\"q\",\"late\":\"a\"}");
    refused(data, "no row has the column quetion; the columns are question, answer, answer.text, n, late", "prompt=quetion",
        "completion=answer.text");
    refused(data, "a.jsonl:1: no row has the column answer.txt", "prompt=question", "completion=answer.txt");
    refused(data, "no row has the column sys", "instruction=question", "output=answer.text", "system=sys");
    refused(data, "a.jsonl:1: an object with the keys question, answer, n; no value for completion", "prompt=question",
        "completion=late");
    refused(data, "prompt is the number 1; expected a string (fields prompt=n, completion=question)", "prompt=n",
        "completion=question");
  }

  @Test
  void aColumnThatOnlyLaterRowsHave() {
    assertThat(data("{\"q\":\"1\",\"a\":\"2\"}", "{\"q\":\"3\",\"a\":\"4\",\"s\":\"5\"}")
        .fields("instruction=q", "output=a", "system=s").examples())
        .containsExactly(Conversation.of(Message.user("1"), Message.assistant("2")),
            Conversation.of(Message.system("5"), Message.user("3"), Message.assistant("4")));
  }

  @Test
  void wrongAssignmentsAreRefusedAtOnce() {
    Dataset data = data("{\"text\":\"t\"}");
    assertThatThrownBy(() -> data.fields()).hasMessageContaining("at least one");
    for (String wrong : new String[] {"prompt", "=question", "prompt=", "promt=question"}) {
      assertThatThrownBy(() -> data.fields(wrong)).as(wrong).isInstanceOf(InvalidInputException.class).hasMessageContaining("fields");
    }
    assertThatThrownBy(() -> data.fields("promt=question")).hasMessageContaining("there is no field \"promt\"")
        .hasMessageContaining("prompt, rejected, system, text, tools");
    assertThatThrownBy(() -> data.fields("prompt=a", "prompt=b")).hasMessageContaining("given twice");
    assertThatThrownBy(() -> data.fields("prompt=a", "text=b")).hasMessageContaining("not of one kind of example");
    assertThatThrownBy(() -> data.shuffle(7).fields("text=b")).hasMessageContaining("right after the files");
    assertThatThrownBy(() -> Dataset.of(new Text("a")).fields("text=b")).hasMessageContaining("right after the files");
    assertThatThrownBy(() -> data.fields("text=b").fields("text=c")).hasMessageContaining("one call");
  }

  @Test
  void gsm8kByFields() {
    Path file = Path.of(System.getProperty("fettle.shared", "../../shared"), "data/gsm8k/train.jsonl");
    assumeTrue(Files.exists(file), file + " is absent");
    Dataset data = Dataset.jsonl(file).fields("prompt=question", "completion=answer");
    assertThat(data.count()).isEqualTo(7473);
    assertThat(((Completion) data.examples().iterator().next()).completion()).startsWith("Natalia sold").endsWith("#### 72");
  }

  @Test
  void thePositionBelongsToTheFields() {
    Dataset data = data("{\"a\":\"NN\",\"b\":\"MM\"}", "{\"a\":\"NNN\",\"b\":\"MM\"}");
    var position = data.fields("text=a").batches(1, Fakes.characters()).position();
    assertThat(data.fields("text=a").batches(1, Fakes.characters()).from(position)).hasSize(2);
    assertThatThrownBy(() -> data.fields("text=b").batches(1, Fakes.characters()).from(position))
        .isInstanceOf(InvalidInputException.class);
  }

  private static void refused(Dataset data, String why, String... fields) {
    assertThatThrownBy(() -> data.fields(fields).count()).isInstanceOf(InvalidInputException.class).hasMessageContaining(why);
  }
}
