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
import dev.fettle.ToolCall;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class JsonlFormsTest {
  @TempDir Path dir;

  private Example read(String line) {
    return Dataset.jsonl(Fakes.write(dir.resolve("a.jsonl"), line)).examples().iterator().next();
  }

  private List<Message> messages(String line) {
    return ((Conversation) read(line)).messages();
  }

  @Test
  void messagesWithEveryRole() {
    assertThat(messages("""
        {"messages":[{"role":"developer","content":"d"},{"role":"system","content":"s"},{"role":"user","content":"u"},\
        {"role":"assistant","content":"a"},{"role":"tool","content":"t","tool_call_id":"1"}],"id":7}"""))
        .containsExactly(
            new Message("system", "d", "", List.of(), false, false, Map.of("role", "developer", "content", "d")), Message.system("s"), Message.user("u"), Message.assistant("a"),
            Message.tool("t").withToolCallId("1"));
  }

  @Test
  void contentInParts() {
    assertThat(messages("""
        {"messages":[{"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]}]}"""))
        .containsExactly(new Message("user", "ab", "", List.of(), false, false, Map.of("role", "user", "content",
            List.of(Map.of("type", "text", "text", "a"), Map.of("type", "text", "text", "b")))));
  }

  @Test
  void toolCallsWithArgumentsAsTextOrObject() {
    Conversation conversation = (Conversation) read("""
        {"messages":[{"role":"assistant","content":null,"tool_calls":[\
        {"id":"c1","type":"function","function":{"name":"f","arguments":"{\\"x\\": 1}"}},\
        {"function":{"name":"g","arguments":{"z":1.0,"a":"ä"}}}]}],\
        "tools":[{"type":"function","function":{"name":"f"}}]}""");
    Message message = conversation.messages().get(0);
    assertThat(message.toolCalls()).containsExactly(new ToolCall("c1", "f", "{\"x\": 1}"), new ToolCall("", "g", "{\"z\":1.0,\"a\":\"ä\"}"));
    assertThat(message.fields().get("content")).isNull();
    assertThat(message.fields().get("tool_calls")).asString().contains("arguments={\"x\": 1}", "arguments={z=1.0, a=ä}");
    assertThat(conversation.tools()).containsExactly("{\"type\":\"function\",\"function\":{\"name\":\"f\"}}");
  }

  @Test
  void reasoningUnderEachOfItsNames() {
    for (String key : List.of("reasoning_content", "reasoning", "thinking")) {
      assertThat(messages("{\"messages\":[{\"role\":\"assistant\",\"content\":\"a\",\"" + key + "\":\"r\"}]}"))
          .extracting(Message::reasoning).containsExactly("r");
    }
  }

  @Test
  void trainedAsMarked() {
    assertThat(messages("""
        {"messages":[{"role":"user","content":"u","trainable":true},{"role":"assistant","content":"a"},\
        {"role":"assistant","content":"b","trained":true},{"role":"assistant","content":"c","trainable":false}]}"""))
        .extracting(Message::trained).containsExactly(true, false, true, false);
  }

  @Test
  void weightsFollowOpenAiWhereAnAssistantWithoutOneCounts() {
    assertThat(messages("""
        {"messages":[{"role":"user","content":"u"},{"role":"assistant","content":"a","weight":0},\
        {"role":"assistant","content":"b"},{"role":"assistant","content":"c","weight":1}]}"""))
        .extracting(Message::trained).containsExactly(false, false, true, true);
    assertThat(messages("""
        {"messages":[{"role":"user","content":"u","weight":0},{"role":"assistant","content":"a","weight":0},\
        {"role":"assistant","content":"b"},{"role":"assistant","content":"c","weight":null}]}"""))
        .extracting(Message::excluded).containsExactly(false, true, false, false);
  }

  @Test
  void systemBesideTheMessages() {
    List<Message> chat = List.of(Message.system("s"), Message.user("u"), Message.assistant("a"));
    assertThat(messages("{\"system\":\"s\",\"messages\":[{\"role\":\"user\",\"content\":\"u\"},"
        + "{\"role\":\"assistant\",\"content\":\"a\"}]}")).isEqualTo(chat);
    assertThat(messages("{\"system\":\"s\",\"conversations\":[{\"from\":\"human\",\"value\":\"u\"},"
        + "{\"from\":\"gpt\",\"value\":\"a\"}]}")).isEqualTo(chat);
    assertThat(messages("{\"system\":\"s\",\"instruction\":\"u\",\"output\":\"a\"}")).isEqualTo(chat);
    assertThat(messages("{\"system\":\"s\",\"prompt\":[{\"role\":\"user\",\"content\":\"u\"}],\"completion\":["
        + "{\"role\":\"assistant\",\"content\":\"a\"}]}").get(0)).isEqualTo(Message.system("s"));
    assertThat(messages("{\"system\":\"\",\"messages\":[{\"role\":\"user\",\"content\":\"u\"}]}")).hasSize(1);
  }

  @Test
  void messagesUnderTheNameConversationsAndAlpaca() {
    assertThat(messages("{\"conversations\":[{\"role\":\"user\",\"content\":\"u\"},{\"role\":\"assistant\",\"content\":\"a\"}]}"))
        .containsExactly(Message.user("u"), Message.assistant("a"));
    assertThat(messages("{\"instruction\":\"i\",\"input\":\"x\",\"output\":\"o\"}"))
        .containsExactly(Message.user("i\n\nx"), Message.assistant("o"));
    assertThat(messages("{\"instruction\":\"i\",\"input\":null,\"output\":\"o\"}").get(0)).isEqualTo(Message.user("i"));
  }

  @Test
  void callsAndToolsAsTheyWereOnceWritten() {
    Conversation conversation = (Conversation) read("""
        {"messages":[{"role":"assistant","content":null,"function_call":{"name":"f","arguments":"{\\"x\\": 1}"}},\
        {"role":"function","name":"f","content":"1"}],"functions":[{"name":"f"}],"tools":"[{\\"type\\":\\"function\\"}]"}""");
    assertThat(conversation.messages().get(0).toolCalls()).containsExactly(new ToolCall("", "f", "{\"x\": 1}"));
    assertThat(conversation.messages().get(1).role() + conversation.messages().get(1).content() + conversation.messages().get(1).name())
        .isEqualTo("tool1f");
    assertThat(conversation.tools())
        .containsExactly("{\"type\":\"function\",\"function\":{\"name\":\"f\"}}", "{\"type\":\"function\"}");
  }

  @Test
  void aNullFieldIsNotThere() {
    assertThat(read("{\"text\":\"t\",\"messages\":null,\"prompt\":null,\"completion\":null,\"system\":null,\"tools\":null}"))
        .isEqualTo(new Text("t"));
  }

  @Test
  void fieldsThatAreNotUnderstoodAreNamedOnce() {
    Path file = Fakes.write(dir.resolve("b.jsonl"), "{\"text\":\"t\",\"id\":1,\"reward\":2,\"more\":[]}", "{\"text\":\"u\",\"reward\":0}");
    String said = said(() -> {
      Dataset.jsonl(file).count();
      Dataset.jsonl(file).count();
    });
    assertThat(said).containsOnlyOnce("b.jsonl: fields that are not used: reward (2 lines).");
  }

  @Test
  void fieldsOfMessagesAndTheirPartsAreNamedToo() {
    Path file = Fakes.write(dir.resolve("c.jsonl"), """
        {"messages":[{"role":"user","content":[{"type":"text","text":"a","cache_control":{"a":1}}],"mood":"x","id":7},\
        {"role":"assistant","mood":"y","refusal":null,"tool_calls":[{"id":"1","type":"function","when":2,\
        "function":{"name":"f","arguments":"{}","strict":true}}]}],"loss":1}""",
        "{\"conversations\":[{\"from\":\"human\",\"value\":\"u\",\"mask\":true},{\"from\":\"gpt\",\"value\":\"g\"}]}",
        "{\"prompt\":\"p\",\"chosen\":\"c\",\"rejected\":\"r\",\"score_chosen\":1,\"margin\":2}");
    assertThat(said(() -> Dataset.jsonl(file).count())).contains("c.jsonl: fields that are not used: conversations[].mask (1 line), "
        + "loss (1 line), margin (1 line), messages[].content[].cache_control (1 line), "
        + "messages[].tool_calls[].function.strict (1 line), messages[].tool_calls[].when (1 line). If one");
  }

  @Test
  void whatIsNotUsedIsSaidAlsoWhereNobodyReadsToTheEnd() {
    Path file = Fakes.write(dir.resolve("d.jsonl"), "{\"text\":\"t\",\"reward\":2}", "{\"text\":\"u\"}", "{\"text\":\"v\"}");
    assertThat(said(() -> Dataset.jsonl(file).take(2).count())).containsOnlyOnce("d.jsonl: fields that are not used: reward (1 line).");
  }

  @Test
  void oneArrayOfObjectsInPlaceOfLines() throws IOException {
    Path file = Fakes.write(dir.resolve("e.json"), "\uFEFF [", "  {\"instruction\": \"i\",", "   \"output\": \"o\"},", " {\"text\": \"t\"}", "]", "");
    assertThat(Dataset.jsonl(file).examples())
        .containsExactly(Conversation.of(Message.user("i"), Message.assistant("o")), new Text("t"));
    for (String[] wrong : new String[][] {{"[{\"text\":\"a\"},\n7]", ":2: the number 7; expected an object"},
        {"[{\"text\":\"a\"},\n{\"text\":", ":2: malformed JSON"}, {"[{\"text\":\"a\"}]\n{\"text\":\"b\"}", ":2: something follows the array"},
        {"[{\"text\":\"a\"},\n\n{\"question\":\"a\"}]", ":3: an object with the keys question"}, {"[]", " is empty"}}) {
      Files.writeString(file, wrong[0]);
      assertThatThrownBy(() -> Dataset.jsonl(file).count()).isInstanceOf(InvalidInputException.class)
          .hasMessageContaining("e.json" + wrong[1]);
    }
  }

  private static String said(Runnable work) {
    java.io.PrintStream before = System.err;
    java.io.ByteArrayOutputStream said = new java.io.ByteArrayOutputStream();
    System.setErr(new java.io.PrintStream(said, true, StandardCharsets.UTF_8));
    try {
      work.run();
    } finally {
      System.setErr(before);
    }
    return said.toString(StandardCharsets.UTF_8);
  }

  @Test
  void promptAndCompletion() {
    assertThat(read("{\"prompt\":\"\",\"completion\":\"c\"}")).isEqualTo(new Completion("", "c"));
    assertThat(messages("""
        {"prompt":[{"role":"user","content":"u"}],"completion":[{"role":"assistant","content":"a"}]}"""))
        .containsExactly(Message.user("u"), Message.assistant("a").withTrained(true));
  }

  @Test
  void textAndShareGpt() {
    assertThat(read("{\"text\":\"\\ud83d\\ude00 ä\"}")).isEqualTo(new Text("\ud83d\ude00 ä"));
    assertThat(messages("""
        {"conversations":[{"from":"system","value":"s"},{"from":"human","value":"h"},{"from":"gpt","value":"g"}]}"""))
        .containsExactly(Message.system("s"), Message.user("h"), Message.assistant("g"));
  }

  @Test
  void severalFilesGzipBlankLinesByteOrderMarkAndCarriageReturns() throws IOException {
    Path plain = Fakes.write(dir.resolve("a.jsonl"), "\uFEFF{\"text\":\"1\"}\r", "", "  ", "{\"text\":\"2\"}\r", "");
    Path packed = dir.resolve("b.jsonl.gz");
    try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(packed))) {
      out.write("{\"text\":\"3\"}\n{\"text\":\"4\"}".getBytes(StandardCharsets.UTF_8));
    }
    assertThat(Fakes.texts(Dataset.jsonl(plain, packed))).containsExactly("1", "2", "3", "4");
  }

  @Test
  void linesOfAnyLengthAroundTheReadersBuffer() {
    for (int length : List.of(1 << 16, (1 << 16) - 12, (1 << 16) - 11, (1 << 16) - 10, 300_000)) {
      String text = "é".repeat(length / 2) + "x".repeat(length % 2);
      Path file = Fakes.write(dir.resolve("long.jsonl"), "{\"text\":\"" + text + "\"}", "{\"text\":\"end\"}");
      assertThat(Fakes.texts(Dataset.jsonl(file))).containsExactly(text, "end");
    }
  }

  @Test
  void anotherFormByFunction() {
    Path file = Fakes.write(dir.resolve("a.jsonl"), "{\"q\":\"1+1\",\"a\":2}");
    Dataset data = Dataset.jsonl(file, line -> new Completion((String) line.get("q"), line.get("a").toString()));
    assertThat(data.examples()).containsExactly(new Completion("1+1", "2"));
  }
}
