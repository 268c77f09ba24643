package dev.fettle.internal.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.fettle.Completion;
import dev.fettle.Conversation;
import dev.fettle.Dataset;
import dev.fettle.Example;
import dev.fettle.Feedback;
import dev.fettle.InvalidInputException;
import dev.fettle.Message;
import dev.fettle.Preference;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PreferenceRowsTest {
  private static final String PROMPT = "[{\"role\":\"user\",\"content\":\"Hi\"}]";
  private static final String YO = "{\"role\":\"assistant\",\"content\":\"Yo\"}";
  private static final String NO = "{\"role\":\"assistant\",\"content\":\"No\"}";
  private static final Preference PAIR = Preference.of("Hi", "Yo", "No");

  @TempDir Path dir;

  private Example read(String line) {
    return Dataset.jsonl(Fakes.write(dir.resolve("pairs.jsonl"), line)).examples().iterator().next();
  }

  private static String row(String prompt, String chosen, String rejected) {
    return "{" + (prompt == null ? "" : "\"prompt\":" + prompt + ",") + "\"chosen\":" + chosen + ",\"rejected\":" + rejected + "}";
  }

  private static String withPrompt(String answer) {
    return PROMPT.replace("]", "," + answer + "]");
  }

  @Test
  void conversationsWithTheirPromptBesideOrWithinThem() {
    assertThat(read(row(PROMPT, "[" + YO + "]", "[" + NO + "]"))).as("beside").isEqualTo(PAIR);
    assertThat(read(row(null, withPrompt(YO), withPrompt(NO)))).as("within").isEqualTo(PAIR);
    assertThat(read(row(PROMPT, withPrompt(YO), withPrompt(NO)))).as("both").isEqualTo(PAIR);
    assertThat(read(row("\"Hi\"", withPrompt(YO), withPrompt(NO)))).as("a text, and within").isEqualTo(PAIR);
    assertThat(read(row("\"Hi\"", "[" + YO + "]", "[" + NO + "]"))).as("a text").isEqualTo(PAIR);
    Preference noted = (Preference) read(row("\"Hi\"", withPrompt(YO).replace("\"Hi\"", "\"Hi\",\"mood\":1"),
        withPrompt(NO).replace("\"Hi\"", "\"Hi\",\"mood\":2")));
    assertThat(((Conversation) noted.chosen()).messages()).as("whatever else is noted of it").hasSize(2);
    assertThat(read(row(PROMPT, YO, NO))).as("single messages").isEqualTo(PAIR);
  }

  @Test
  void whatFollowsTheCommonBeginningIsTrained() {
    Preference pair = (Preference) read(row(null, """
        [{"role":"system","content":"s"},{"role":"user","content":"u"},{"role":"assistant","content":"a"},\
        {"role":"user","content":"v"},{"role":"assistant","content":"good"}]""", """
        [{"role":"system","content":"s"},{"role":"user","content":"u"},{"role":"assistant","content":"a"},\
        {"role":"user","content":"v"},{"role":"assistant","content":"bad"}]"""));
    for (Example answer : List.of(pair.chosen(), pair.rejected())) {
      assertThat(((Conversation) answer).messages()).extracting(Message::trained).containsExactly(false, false, false, false, true);
    }
  }

  @Test
  void systemAndToolsBesideThem() {
    Preference pair = (Preference) read(row(PROMPT, "[" + YO + "]", "[" + NO + "]").replaceFirst("\\{",
        "{\"system\":\"s\",\"tools\":[{\"type\":\"function\"}],"));
    Conversation chosen = (Conversation) pair.chosen();
    assertThat(chosen.messages()).containsExactly(Message.system("s"), Message.user("Hi"), Message.assistant("Yo").withTrained(true));
    assertThat(chosen.tools()).containsExactly("{\"type\":\"function\"}");
    assertThat(((Conversation) pair.rejected()).messages().get(0)).isEqualTo(Message.system("s"));
  }

  @Test
  void textsAreCompletionsOfTheirPromptOrOfWhatBothBeginWith() {
    assertThat(read(row("\"Sky: \"", "\"blue\"", "\"green\"")))
        .isEqualTo(new Preference(new Completion("Sky: ", "blue"), new Completion("Sky: ", "green")));
    // As TRL's extract_prompt: the space goes with the answers.
    assertThat(read(row(null, "\"The sky is blue.\"", "\"The sky is green.\"")))
        .isEqualTo(new Preference(new Completion("The sky is", " blue."), new Completion("The sky is", " green.")));
  }

  @Test
  void asOpenAiWritesThem() {
    assertThat(read("{\"input\":{\"messages\":" + PROMPT + ",\"tools\":[{\"a\":1}],\"parallel_tool_calls\":true},"
        + "\"preferred_output\":[" + YO + "],\"non_preferred_output\":[" + NO + "]}"))
        .isEqualTo(Preference.of(new Conversation(List.of(Message.user("Hi")), List.of("{\"a\":1}")), Message.assistant("Yo"),
            Message.assistant("No")));
  }

  @Test
  void chosenAnswersAloneByTheirName() {
    Path file = Fakes.write(dir.resolve("pairs.jsonl"), row(null, withPrompt(YO), withPrompt(NO)));
    assertThat(Dataset.jsonl(file).fields("messages=chosen").examples())
        .containsExactly(Conversation.of(Message.user("Hi"), Message.assistant("Yo")));
  }

  @Test
  void pairsAreShuffledSplitMixedAndRepeated() {
    Path file = Fakes.write(dir.resolve("pairs.jsonl"),
        IntStream.range(0, 100).mapToObj(i -> row("\"p" + i + "\"", "\"c\"", "\"r\"")).toArray(String[]::new));
    Dataset data = Dataset.jsonl(file);
    Dataset[] parts = data.split(0.5, 0.5);
    assertThat(parts[0].count()).isBetween(30L, 70L);
    assertThat(parts[0].count() + parts[1].count()).isEqualTo(100);
    assertThat(data.shuffle(1).epochs(2).examples()).hasSize(200).hasSameElementsAs(data.examples());
  }

  @Test
  void theSharedCase() {
    Path file = Path.of(System.getProperty("fettle.shared", "../../shared"), "cases/data/dpo-trl-chat.jsonl");
    assumeTrue(Files.exists(file), file + " is absent");
    assertThat(Dataset.jsonl(file).examples()).containsExactly(PAIR);
  }

  @Test
  void wrongPairsSayWhy() {
    refused(row(null, "\"a\"", "[" + NO + "]"), "chosen is a string and rejected is a list; expected two");
    refused(row(null, "7", "\"a\""), "chosen is the number 7; expected a string");
    refused(row(null, "\"ab\"", "\"abc\""), "give the prompt");
    refused(row(PROMPT, "\"a\"", "\"b\""), "prompt is a list of messages, and chosen and rejected are strings");
    refused(row(null, PROMPT, PROMPT), "no answer after the user's message");
    refused(row(null, withPrompt(YO), withPrompt(NO).replace("Hi", "Ho")), "answer different messages");
    refused(row(null, withPrompt(YO), withPrompt(NO).replace("assistant", "tool")), "rejected has no assistant's message");
    refused("{\"system\":\"s\"," + row("\"a\"", "\"b\"", "\"c\"").substring(1), "write the prompt as messages");
    refused("{\"input\":\"a\",\"preferred_output\":[" + YO + "],\"non_preferred_output\":[" + NO + "]}",
        "input is a string; expected {\"messages\"");
  }

  @Test
  void labelledCompletionsAreFeedback() {
    assertThat(read("{\"prompt\":\"p\",\"completion\":\"c\",\"label\":false}"))
        .isEqualTo(new Feedback(new Completion("p", "c"), false));
    assertThat(read("{\"prompt\":" + PROMPT + ",\"completion\":[" + YO + "],\"label\":true}"))
        .isEqualTo(Feedback.of("Hi", "Yo", true));
    assertThat(read("{\"prompt\":\"p\",\"completion\":\"c\",\"label\":\"a\"}")).isEqualTo(new Completion("p", "c"));
  }

  private void refused(String line, String why) {
    assertThatThrownBy(() -> read(line)).isInstanceOf(InvalidInputException.class).hasMessageContaining("pairs.jsonl:1: ")
        .hasMessageContaining(why);
  }
}
