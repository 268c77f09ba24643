package dev.fettle.internal.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fettle.Completion;
import dev.fettle.Conversation;
import dev.fettle.Dataset;
import dev.fettle.Example;
import dev.fettle.InvalidInputException;
import dev.fettle.Message;
import dev.fettle.Text;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CsvTest {
  @TempDir Path dir;

  private Path file(String text) {
    try {
      return Files.writeString(dir.resolve("a.csv"), text);
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  private List<Example> read(String text) {
    List<Example> examples = new ArrayList<>();
    Dataset.csv(file(text)).examples().forEach(examples::add);
    return examples;
  }

  private static Completion pair(String prompt, String completion) {
    return new Completion(prompt, completion);
  }

  @Test
  void quotesLineBreaksAndDoubledQuotes() {
    assertThat(read("prompt,completion\r\na,b\r\n\"a, \"\"b\"\"\r\nc\",\"d\"\r\n\r\n\"\",x\r\n"))
        .containsExactly(pair("a", "b"), pair("a, \"b\"\r\nc", "d"), pair("", "x"));
    assertThat(read("prompt,completion\n\"\n\n\",\"\"\"\"\na\"b,c")).containsExactly(pair("\n\n", "\""), pair("a\"b", "c"));
  }

  @Test
  void semicolonsTabsAndByteOrderMark() {
    assertThat(read("\uFEFFprompt;completion\na,b;c")).containsExactly(pair("a,b", "c"));
    assertThat(read("\"prompt\"\t\"completion\"\na;b\t\"c\td\"")).containsExactly(pair("a;b", "c\td"));
    assertThat(read(" prompt , completion \n a , b ")).as("spaces belong to cells, not to names").containsExactly(pair(" a ", " b "));
  }

  @Test
  void anEmptyCellIsNullAndAnIndexWithoutNameIsPassedOver() {
    assertThat(read(",text,prompt,completion\n0,a,,\n1,,p,c\n")).containsExactly(new Text("a"), pair("p", "c"));
  }

  @Test
  void messagesAndToolsAsJson() {
    assertThat(read("messages,tools\n\"[{\"\"role\"\":\"\"user\"\",\"\"content\"\":\"\"u\"\"}]\",\"[{\"\"a\"\":1}]\""))
        .containsExactly(new Conversation(List.of(Message.user("u")), List.of("{\"a\":1}")));
  }

  @Test
  void severalFilesAndGzip() throws IOException {
    Path packed = dir.resolve("b.csv.gz");
    try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(packed))) {
      out.write("completion;prompt\nd;c\n".getBytes(StandardCharsets.UTF_8));
    }
    assertThat(Dataset.csv(file("prompt,completion\na,b"), packed).examples()).containsExactly(pair("a", "b"), pair("c", "d"));
  }

  @Test
  void cellsAroundTheReadersBuffer() {
    for (int length : List.of((1 << 16) - 20, (1 << 16) - 1, 1 << 16, 300_000)) {
      String cell = "é\n".repeat(length / 3) + "x".repeat(length % 3);
      assertThat(read("prompt,completion\n\"" + cell + "\",end")).containsExactly(pair(cell, "end"));
    }
  }

  @Test
  void wrongRowsAreNamedWithLineAndColumn() {
    refused("prompt,completion\na,b\nc,d,e\n", "a.csv:3: column 5: 3 cells, but the first line names 2 columns: prompt, completion");
    refused("prompt,completion\na\n", "a.csv:2: column 1: 1 cell, but");
    refused("prompt,completion\na,\"b\nc\"d\n", "a.csv:3: column 3: text after the quote");
    refused("prompt,completion\na,\"b\nc\nd", "a.csv:2: the quote that is opened in this row, at column 3 of a line, is not closed");
    refused("prompt,prompt\na,b\n", "a.csv:1: column 8: the first line names the column \"prompt\" twice");
    refused("prompt,completion\rx,y\ra,b", "a carriage return within a line");
    refused("question,answer\na,b", "a.csv:2: an object with the keys question, answer; expected");
    refused("prompt,completion\na,\n", "a.csv:2: completion is null or an empty cell, in an object with the keys prompt, completion");
    refused("prompt,completion\n\n", "a.csv is empty: it holds no example");
  }

  @Test
  void aQuoteThatIsNeverClosedEndsBeforeMemoryDoes() {
    refused("prompt,completion\n\"" + "x\n".repeat(9 << 20), "is not closed within 16 million characters");
  }

  private void refused(String text, String why) {
    assertThatThrownBy(() -> read(text)).isInstanceOf(InvalidInputException.class).hasMessageContaining(why);
  }
}
