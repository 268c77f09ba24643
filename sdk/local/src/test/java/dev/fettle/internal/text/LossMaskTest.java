package dev.fettle.internal.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fettle.Completion;
import dev.fettle.Conversation;
import dev.fettle.Example;
import dev.fettle.InvalidInputException;
import dev.fettle.Message;
import dev.fettle.Rendered;
import dev.fettle.Renderer;
import dev.fettle.Renderers;
import dev.fettle.Text;
import dev.fettle.ToolCall;
import dev.fettle.TrainOn;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What is trained stands in double brackets. */
class LossMaskTest {
  private static final Conversation TWO_TURNS = Conversation.of(Message.system("S"), Message.user("a"),
      Message.assistant("b"), Message.user("c").withTrained(true), Message.assistant("d"));

  @TempDir
  Path directory;

  private Renderer renderer(String family) {
    return Renderers.of(family, TextFixtures.smallFor(family, directory));
  }

  private String shown(String family, TrainOn parts, Example example) {
    return renderer(family).trainOn(parts).show(example, false).replace("\\n\n", "/");
  }

  @ParameterizedTest
  @CsvSource({
      "LAST_ASSISTANT_MESSAGE, a<|im_end|>/|assistant/b<|im_end|>/|user/c<|im_end|>/|assistant/[[d<|im_end|>]]/",
      "ALL_ASSISTANT_MESSAGES, a<|im_end|>/|assistant/[[b<|im_end|>]]/|user/c<|im_end|>/|assistant/[[d<|im_end|>]]/",
      "LAST_ASSISTANT_TURN, a<|im_end|>/|assistant/b<|im_end|>/|user/c<|im_end|>/|assistant/[[d<|im_end|>]]/",
      "CUSTOMIZED, a<|im_end|>/|assistant/b<|im_end|>/|user/[[c<|im_end|>]]/|assistant/d<|im_end|>/"})
  void chatMlTrainsOutputAndItsEndButNoHeader(TrainOn parts, String rest) {
    assertThat(shown("chatml", parts, TWO_TURNS).replace("<|im_start|>", "|"))
        .isEqualTo("|system/S<|im_end|>/|user/" + rest);
  }

  @Test
  void allMessagesAndUserAndSystemMessages() {
    assertThat(shown("chatml", TrainOn.ALL_MESSAGES, TWO_TURNS).replace("<|im_start|>", "|")).isEqualTo("|system/"
        + "[[S<|im_end|>]]/|user/[[a<|im_end|>]]/|assistant/[[b<|im_end|>]]/|user/[[c<|im_end|>]]/|assistant/"
        + "[[d<|im_end|>]]/");
    assertThat(shown("chatml", TrainOn.ALL_USER_AND_SYSTEM_MESSAGES, TWO_TURNS).replace("<|im_start|>", "|"))
        .isEqualTo("|system/[[S<|im_end|>]]/|user/[[a<|im_end|>]]/|assistant/b<|im_end|>/|user/[[c<|im_end|>]]/"
            + "|assistant/d<|im_end|>/");
  }

  @Test
  void allTokensAreTrainedButBos() {
    Rendered rendered = renderer("llama3").trainOn(TrainOn.ALL_TOKENS).render(TWO_TURNS).get(0);
    assertThat(rendered.weights()[0]).isZero();
    assertThat(rendered.toString()).isEqualTo("Rendered[" + rendered.length() + " tokens, " + (rendered.length() - 1)
        + " trained]");
  }

  @Test
  void llama3() {
    assertThat(shown("llama3", TrainOn.LAST_ASSISTANT_MESSAGE, Conversation.of(Message.user("a"),
        Message.assistant("b")))).isEqualTo("<|begin_of_text|><|start_header_id|>user<|end_header_id|>//a<|eot_id|>"
            + "<|start_header_id|>assistant<|end_header_id|>//[[b<|eot_id|>]]");
  }

  @Test
  void llama31SystemBlockIsHeaderAndItsTextIsOutput() {
    assertThat(shown("llama3.1", TrainOn.ALL_MESSAGES, Conversation.of(Message.system("S"), Message.user("a"))))
        .isEqualTo("<|begin_of_text|><|start_header_id|>system<|end_header_id|>//Cutting Knowledge Date: December 2023/"
            + "Today Date: 26 Jul 2024//[[S<|eot_id|>]]<|start_header_id|>user<|end_header_id|>//[[a<|eot_id|>]]");
  }

  @Test
  void mistralKeepsTheSystemMessageBeforeTheLastQuestion() {
    Conversation conversation = Conversation.of(Message.system("S"), Message.user("a"), Message.assistant("b"),
        Message.user("c"), Message.assistant("d"));

    assertThat(shown("mistral", TrainOn.LAST_ASSISTANT_MESSAGE, conversation))
        .isEqualTo("<s>[INST]a[/INST]b</s>[INST]S//c[/INST][[d</s>]]");
    assertThat(shown("mistral", TrainOn.ALL_ASSISTANT_MESSAGES, conversation)).isEqualTo("--- 1 of 2 ---\n"
        + "<s>[INST]S//a[/INST][[b</s>]]\n--- 2 of 2 ---\n<s>[INST]a[/INST]b</s>[INST]S//c[/INST][[d</s>]]");
  }

  @Test
  void mistralWithoutSystemMessageIsOneSequence() {
    assertThat(shown("mistral", TrainOn.ALL_ASSISTANT_MESSAGES, Conversation.of(Message.user("a"),
        Message.assistant("b"), Message.user("c"), Message.assistant("d"))))
            .isEqualTo("<s>[INST]a[/INST][[b</s>]][INST]c[/INST][[d</s>]]");
  }

  @Test
  void rolesTrainTheBeginningOfTheNextUserMessageAsTheStop() {
    assertThat(shown("roles", TrainOn.LAST_ASSISTANT_MESSAGE, TWO_TURNS))
        .isEqualTo("System: S//User: a//Assistant: b//User: c//Assistant:[[ d//User:]]");
  }

  @Test
  void qwen25DefaultSystemMessageIsNeverOutput() {
    assertThat(shown("qwen2.5", TrainOn.ALL_MESSAGES, Conversation.of(Message.user("a"), Message.assistant("b"))))
        .isEqualTo("<|im_start|>system/You are Qwen, created by Alibaba Cloud. You are a helpful assistant.<|im_end|>/"
            + "<|im_start|>user/[[a<|im_end|>]]/<|im_start|>assistant/[[b<|im_end|>]]/");
  }

  @Test
  void qwen3TrainsTheThinkingAndSplitsWhereHistoryIsRewritten() {
    Conversation conversation = Conversation.of(Message.user("a"), Message.assistant("b").withReasoning("r"),
        Message.user("c"), Message.assistant("d"));

    assertThat(shown("qwen3", TrainOn.ALL_ASSISTANT_MESSAGES, conversation).replace("<|im_start|>", "|"))
        .isEqualTo("--- 1 of 2 ---\n|user/a<|im_end|>/|assistant/[[<think>/r/</think>//b<|im_end|>]]/\n--- 2 of 2 ---\n"
            + "|user/a<|im_end|>/|assistant/b<|im_end|>/|user/c<|im_end|>/|assistant/"
            + "[[<think>//</think>//d<|im_end|>]]/");
  }

  @Test
  void qwen3WithoutThinkingPutsTheEmptyBlockIntoTheHeader() {
    assertThat(shown("qwen3-no-thinking", TrainOn.LAST_ASSISTANT_MESSAGE, Conversation.of(Message.user("a"),
        Message.assistant("b"))).replace("<|im_start|>", "|"))
            .isEqualTo("|user/a<|im_end|>/|assistant/<think>//</think>//[[b<|im_end|>]]/");
  }

  @Test
  void qwen3AgentWhoseThinkingIsKeptStaysOneSequence() {
    Conversation conversation = Conversation.of(Message.user("a"),
        Message.assistant("").withReasoning("r").withToolCalls(new ToolCall("", "f", "{}")), Message.tool("t"),
        Message.assistant("d").withReasoning("s"));

    assertThat(shown("qwen3", TrainOn.LAST_ASSISTANT_TURN, conversation).replace("<|im_start|>", "|"))
        .isEqualTo("|user/a<|im_end|>/|assistant/[[<think>/r/</think>//<tool_call>/{\"name\": \"f\", \"arguments\": {}}"
            + "/</tool_call><|im_end|>]]/|user/<tool_response>/t/</tool_response><|im_end|>/|assistant/"
            + "[[<think>/s/</think>//d<|im_end|>]]/");
  }

  @Test
  void allMessagesOfAThinkingFamilyTrainEachMessageOnce() {
    List<Rendered> rendered = renderer("qwen3").trainOn(TrainOn.ALL_MESSAGES).render(Conversation.of(Message.user("a"),
        Message.assistant("b"), Message.user("c"), Message.assistant("d")));

    assertThat(rendered).hasSize(2);
    assertThat(shown("qwen3", TrainOn.ALL_MESSAGES, Conversation.of(Message.user("a"), Message.assistant("b"))))
        .endsWith("user/[[a<|im_end|>]]/<|im_start|>assistant/[[<think>//</think>//b<|im_end|>]]/");
  }

  @Test
  void aTokenThatSpansHeaderAndOutputIsHeader() {
    assertThat(shown("chatml", TrainOn.LAST_ASSISTANT_MESSAGE, Conversation.of(Message.user("a"),
        Message.assistant("\nb")))).endsWith("assistant//[[b<|im_end|>]]/");
  }

  @Test
  void trainingSequenceBeginsWithThePromptThatTheModelWillSee() {
    for (String family : ChatFormats.FAMILIES.keySet()) {
      Renderer renderer = renderer(family);
      int[] prompt = renderer.prompt(Conversation.of(Message.system("S"), Message.user("a")));
      Rendered rendered = renderer.render(Conversation.of(Message.system("S"), Message.user("a"),
          Message.assistant("b"))).get(0);
      int first = 0;
      while (rendered.weights()[first] == 0) {
        first++;
      }
      int headerInOutput = family.equals("qwen3") ? 0 : prompt.length;
      assertThat(rendered.tokens()).as(family).startsWith(prompt);
      assertThat(first).as(family).isGreaterThanOrEqualTo(headerInOutput);
    }
  }

  @Test
  void completionTrainsWhatFollowsThePrompt() {
    Renderer plain = Renderers.of("roles", TextFixtures.small(directory.resolve("bos"),
        "{\"bos_token\": \"<s>\", \"eos_token\": \"</s>\", \"add_bos_token\": true}"));

    assertThat(plain.show(new Completion("a b", " c\n"), false)).isEqualTo("<s>a b[[ c\\n\n</s>]]");
    assertThat(plain.show(new Text("a b"), false)).isEqualTo("<s>[[a b</s>]]");
    assertThat(renderer("chatml").show(new Text("a b"), false)).isEqualTo("[[a b]]");
  }

  @Test
  void completionOfASentencePieceModelHasNoSpaceOfItsOwn() {
    Renderer renderer = Renderers.of("roles",
        dev.fettle.Tokenizers.open(TextFixtures.shared("models/stories260K/hf")));
    int[] whole = renderer.render(new Text("Once upon a time")).get(0).tokens();

    Rendered rendered = renderer.render(new Completion("Once upon", " a time")).get(0);

    assertThat(rendered.tokens()).isEqualTo(whole);
    assertThat(renderer.show(new Completion("Once ", "upon"), false)).isEqualTo("<s> Once [[upon</s>]]");
  }

  @Test
  void colours() {
    assertThat(renderer("chatml").show(new Completion("a", "b"), true))
        .startsWith("\u001b[32ma\u001b[0m\u001b[30;42mb\u001b[0m\n\u001b[36mtemplate\u001b[0m ");
  }

  @Test
  void nothingToLearnIsAnError() {
    assertThatThrownBy(() -> renderer("chatml").render(Conversation.of(Message.user("a"))))
        .isInstanceOf(InvalidInputException.class).hasMessageContaining("last message is of the role user")
        .hasMessageContaining("ALL_ASSISTANT_MESSAGES");
    assertThatThrownBy(() -> renderer("llama3").trainOn(TrainOn.CUSTOMIZED).render(Conversation.of(Message.user("a"))))
        .isInstanceOf(InvalidInputException.class).hasMessageContaining("CUSTOMIZED");
  }
}
