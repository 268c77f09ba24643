package dev.fettle.internal.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import dev.fettle.Completion;
import dev.fettle.Dataset;
import dev.fettle.Example;
import dev.fettle.InvalidInputException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class JsonlErrorsTest {
  @TempDir Path dir;

  /** Each wrong line, and below it what the error says. */
  private static final String WRONG = """
      {"text":"a"
        malformed JSON at column
      {"text":"a"} {"text":"b"}
        malformed JSON
      {"text":"a","text":"b"}
        malformed JSON
      [
        not one array
      [{"text":"a"}]
        a list; expected an object
      "hello"
        a string; expected an object
      {}
        an object with no keys; expected {"messages"
      {"question":"q","answer":"a"}
        the keys question, answer; expected
      {"prompt":"p"}
        the keys prompt; expected
      {"text":7}
        text is the number 7; expected a string
      {"text":""}
        text is empty
      {"text":"a\\ud800b"}
        half a surrogate pair, \\ud800, at character 1
      {"prompt":"p","completion":""}
        completion is empty
      {"prompt":"p","completion":[]}
        two strings or two lists of messages
      {"messages":[]}
        messages is an empty list
      {"messages":{}}
        messages is an object with no keys; expected a list
      {"messages":[7]}
        messages[0] is the number 7; expected an object
      {"messages":[{"content":"a"}]}
        messages[0].role is missing; expected a string
      {"messages":[{"role":"bot","content":"a"}]}
        messages[0].role is "bot"; expected one of
      {"messages":[{"role":"user"}]}
        messages[0].content is missing; expected
      {"messages":[{"role":"user","content":null}]}
        messages[0].content is null; expected
      {"messages":[{"role":"user","content":[{"type":"image_url"}]}]}
        of type "image_url"; only
      {"messages":[{"role":"user","content":"a","weight":0.5}]}
        messages[0].weight is the number 0.5
      {"messages":[{"role":"user","content":"a","trained":1}]}
        messages[0].trained is the number 1
      {"messages":[{"role":"user","content":"a"}],"tools":[1]}
        tools[0] is the number 1
      {"messages":[{"role":"user","content":"a"}],"tools":{}}
        tools is an object
      {"messages":[{"role":"user","content":"a"}],"tools":"[{"}
        tools is a text that is not JSON
      {"messages":[{"role":"user","content":"a"}],"tools":"7"}
        the JSON text in tools is the number 7
      {"messages":[{"role":"user","content":"a","function_call":{"name":"f","arguments":"{}"}}]}
        only an assistant calls tools
      {"system":"a","messages":[{"role":"system","content":"b"}]}
        keep one
      {"system":"a","prompt":"b","completion":"c"}
        write the prompt as messages
      {"system":7,"messages":[{"role":"user","content":"a"}]}
        system is the number 7
      {"messages":[{"role":"user","content":"a","tool_calls":[{"function":{"name":"f","arguments":{}}}]}]}
        only an assistant calls tools
      {"messages":[{"role":"assistant","tool_calls":[{"function":{"name":"f"}}]}]}
        tool_calls[0].function.arguments is missing
      {"messages":[{"role":"assistant","tool_calls":[{"function":{"name":"f","arguments":"{x"}}]}]}
        arguments is not JSON
      {"messages":[{"role":"assistant","tool_calls":[{"function":{"name":"f","arguments":""}}]}]}
        arguments holds missing
      {"messages":[{"role":"assistant","tool_calls":[{"type":"custom"}]}]}
        only "function" is supported
      {"conversations":[{"from":"alien","value":"a"}]}
        conversations[0].from is "alien"
      {"conversations":[{"from":"human"}]}
        conversations[0].value is missing
      """;

  static Stream<Arguments> wrongLines() {
    List<String> lines = WRONG.lines().map(String::strip).toList();
    return IntStream.range(0, lines.size() / 2).mapToObj(i -> arguments(lines.get(2 * i), lines.get(2 * i + 1)));
  }

  @ParameterizedTest
  @MethodSource("wrongLines")
  void aWrongLineIsNamedWithFileNumberAndExcerpt(String line, String expected) {
    Path file = Fakes.write(dir.resolve("a.jsonl"), "{\"text\":\"good\"}", "", line);
    Iterator<Example> examples = Dataset.jsonl(file).examples().iterator();
    examples.next();
    assertThatThrownBy(examples::next).isInstanceOf(InvalidInputException.class)
        .hasMessageStartingWith(file + ":3: ").hasMessageContaining(expected)
        .hasMessageContaining(". The line: " + line.substring(0, Math.min(90, line.length())));
    assertThatThrownBy(examples::hasNext).as("and again").hasMessageStartingWith(file + ":3: ");
  }

  @Test
  void theExcerptOfALongLineIsShort() {
    Path file = Fakes.write(dir.resolve("a.jsonl"), "{\"body\":\"" + "x".repeat(100_000) + "\"}");
    Throwable thrown = catchThrowable(() -> Dataset.jsonl(file).count());
    assertThat(thrown).hasMessageContaining("the keys body");
    assertThat(thrown.getMessage().length()).isLessThan(600 + file.toString().length());
  }

  @Test
  void bytesThatAreNotUtf8() throws IOException {
    Path file = dir.resolve("a.jsonl");
    Files.write(file, "{\"text\":\"a\"}\n{\"text\":\"caf\u00e9\"}\n".getBytes(StandardCharsets.ISO_8859_1));
    assertThatThrownBy(() -> Dataset.jsonl(file).count()).isInstanceOf(InvalidInputException.class)
        .hasMessageContaining(file + ":2: byte 13 (0xE9) is not UTF-8");
  }

  @Test
  void filesThatCannotBeReadAreReportedAtOnce() throws IOException {
    assertThatThrownBy(() -> Dataset.jsonl(dir.resolve("missing.jsonl"))).isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("missing.jsonl does not exist");
    assertThatThrownBy(() -> Dataset.jsonl(dir)).isInstanceOf(InvalidInputException.class)
        .hasMessageContaining(dir + " is a directory");
    Path empty = Files.createFile(dir.resolve("empty.jsonl"));
    assertThatThrownBy(() -> Dataset.jsonl(empty)).isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("empty.jsonl is empty");
    assertThatThrownBy(() -> Dataset.jsonl()).isInstanceOf(InvalidInputException.class);
  }

  @Test
  void aFileOfBlankLinesHoldsNoExampleEvenBesideOthers() {
    Path good = Fakes.write(dir.resolve("a.jsonl"), "{\"text\":\"a\"}");
    Path blank = Fakes.write(dir.resolve("blank.jsonl"), "", " ", "");
    assertThatThrownBy(() -> Dataset.jsonl(good, blank).count()).isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("blank.jsonl is empty");
  }

  @Test
  void aFileThatIsRemovedAfterwards() throws IOException {
    Path file = Fakes.write(dir.resolve("a.jsonl"), "{\"text\":\"a\"}");
    Dataset data = Dataset.jsonl(file);
    Files.delete(file);
    assertThatThrownBy(data::count).isInstanceOf(InvalidInputException.class).hasMessageContaining("a.jsonl");
  }

  @Test
  void gzipThatIsNoneOrBrokenOrUnnamed() throws IOException {
    Path none = Fakes.write(dir.resolve("none.gz"), "{\"text\":\"a\"}");
    assertThatThrownBy(() -> Dataset.jsonl(none).count()).isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("none.gz is not a whole gzip file");

    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (GZIPOutputStream out = new GZIPOutputStream(bytes)) {
      out.write("{\"text\":\"a\"}\n{\"text\":\"b\"}\n".getBytes(StandardCharsets.UTF_8));
    }
    Path broken = Files.write(dir.resolve("broken.gz"), Arrays.copyOf(bytes.toByteArray(), bytes.size() - 9));
    assertThatThrownBy(() -> Dataset.jsonl(broken).count()).isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("broken.gz:").hasMessageContaining("cannot be read further");

    Path unnamed = Files.write(dir.resolve("unnamed.jsonl"), bytes.toByteArray());
    assertThatThrownBy(() -> Dataset.jsonl(unnamed).count()).isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("unnamed.jsonl:1: ").hasMessageContaining("let its name end in .gz");
  }

  @Test
  void whatAFunctionThrowsIsReportedWithTheLine() {
    Path file = Fakes.write(dir.resolve("a.jsonl"), "{\"q\":\"1\"}", "{\"q\":2}");
    assertThatThrownBy(() -> Dataset.jsonl(file, line -> new Completion("", (String) line.get("q"))).count())
        .isInstanceOf(InvalidInputException.class).hasMessageContaining("a.jsonl:2: the given function failed")
        .hasCauseInstanceOf(ClassCastException.class);
    assertThatThrownBy(() -> Dataset.jsonl(file, line -> null).count())
        .isInstanceOf(InvalidInputException.class).hasMessageContaining("a.jsonl:1: the given function returned null");
  }

  @Test
  void deepNestingAndEnormousNumbersAreOnlyWrongLines() {
    for (String line : List.of("[".repeat(100_000), "{\"a\":".repeat(100_000), "{\"text\":" + "9".repeat(50_000) + "}",
        "{\"text\":1e999999999}", "{\"messages\":[{\"role\":\"user\",\"content\":\"a\",\"weight\":1e999999999}]}")) {
      Path file = Fakes.write(dir.resolve("a.jsonl"), line);
      Throwable thrown = catchThrowable(() -> Dataset.jsonl(file).count());
      assertThat(thrown).isInstanceOf(InvalidInputException.class).hasMessageContaining("a.jsonl:1: ");
      assertThat(thrown.getMessage().length()).isLessThan(700);
    }
  }

  @Test
  void randomCorruptionsAreReadOrRefusedWithTheFilesName() throws IOException {
    byte[] good = """
        {"messages":[{"role":"user","content":[{"type":"text","text":"é"}]},{"role":"assistant","content":null,\
        "tool_calls":[{"id":"1","function":{"name":"f","arguments":"{\\"x\\":[1]}"}}],"weight":1}],"tools":[{"a":1}]}
        {"prompt":"p","completion":"c"}
        {"text":"\\ud83d\\ude00"}
        """.getBytes(StandardCharsets.UTF_8);
    Random random = new Random(7);
    int refused = 0;
    Path file = dir.resolve("a.jsonl");
    for (int i = 0; i < 1000; i++) {
      byte[] bytes = Arrays.copyOf(good, i % 4 == 0 ? 1 + random.nextInt(good.length) : good.length);
      for (int changes = random.nextInt(4); changes >= 0; changes--) {
        bytes[random.nextInt(bytes.length)] = i % 3 == 0 ? (byte) random.nextInt() : good[random.nextInt(good.length)];
      }
      Files.write(file, bytes);
      Throwable thrown = catchThrowable(() -> Dataset.jsonl(file).count());
      if (thrown != null) {
        refused++;
        assertThat(thrown).isInstanceOf(InvalidInputException.class).hasMessageContaining("a.jsonl");
      }
    }
    assertThat(refused).isBetween(300, 999);
  }
}
