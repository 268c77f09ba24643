package dev.fettle.internal.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fettle.Conversation;
import dev.fettle.InvalidInputException;
import dev.fettle.Message;
import dev.fettle.Renderer;
import dev.fettle.Renderers;
import dev.fettle.Text;
import dev.fettle.Tokenizer;
import dev.fettle.Tokenizers;
import dev.fettle.TrainOn;
import dev.fettle.UnsupportedModelException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RendererChoiceTest {
  @TempDir
  Path directory;

  private Tokenizer withTemplate(String template) {
    Tokenizer tokenizer = TextFixtures.small(directory.resolve("model"), TextFixtures.config("<s>", "</s>"));
    try {
      Files.writeString(directory.resolve("model/chat_template.jinja"), template);
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
    assertThat(tokenizer.chatTemplate()).isEmpty();
    return Tokenizers.open(directory.resolve("model"));
  }

  @ParameterizedTest
  @CsvSource({"trl/llama3.jinja, llama3", "trl/llama3_1.jinja, llama3.1", "trl/llama3_2.jinja, llama3.1",
      "trl/qwen2_5.jinja, qwen2.5", "trl/qwen3.jinja, qwen3", "trl/qwen3_instruct_2507.jinja, qwen3-instruct",
      "llama.cpp/Qwen-Qwen2.5-7B-Instruct.jinja, qwen2.5",
      "llama.cpp/meta-llama-Llama-3.3-70B-Instruct.jinja, llama3.1",
      "llama.cpp/mistralai-Mistral-Nemo-Instruct-2407.jinja, mistral", "trl/gemma.jinja, unknown",
      "trl/phi3.jinja, unknown", "trl/deepseekv3.jinja, unknown",
      "llama.cpp/deepseek-ai-DeepSeek-R1-Distill-Qwen-32B.jinja, unknown",
      "minja/Qwen-Qwen3-Coder-30B-A3B-Instruct.jinja, unknown"})
  void followsTheRealTemplates(String template, String family) throws IOException {
    String text = Files.readString(TextFixtures.shared("data/chat-templates/" + template));
    assertThat(Renderers.detect(withTemplate(text)).family()).isEqualTo(family);
  }

  @Test
  void plainChatMlMayHaveItsOwnDefaultSystemMessage() {
    Renderer renderer = Renderers.detect(withTemplate("{% for message in messages %}{% if loop.first and"
        + " messages[0]['role'] != 'system' %}{{ '<|im_start|>system\\nBe kind.<|im_end|>\\n' }}{% endif %}"
        + "{{'<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n'}}{% endfor %}"));

    assertThat(renderer.family()).isEqualTo("chatml");
    assertThat(renderer.tokenizer().decodeAll(renderer.prompt(Conversation.of(Message.user("a"))))).isEqualTo(
        "<|im_start|>system\nBe kind.<|im_end|>\n<|im_start|>user\na<|im_end|>\n<|im_start|>assistant\n");
  }

  private static Renderer byName(Tokenizer tokenizer, String name) {
    return ChatFormats.detect(tokenizer, name, OptionalInt.empty());
  }

  @Test
  void withoutTemplateTheNameDecidesAndThenRoles() {
    Tokenizer tokenizer = TextFixtures.small();

    assertThat(Renderers.detect(tokenizer).family()).isEqualTo("roles");
    assertThat(byName(tokenizer, "Qwen/Qwen3-8B").family()).isEqualTo("qwen3");
    assertThat(byName(tokenizer, "Qwen/Qwen3-4B-Instruct-2507").family()).isEqualTo("qwen3-instruct");
    assertThat(byName(tokenizer, "meta-llama/Llama-3.1-8B-Instruct").family()).isEqualTo("llama3.1");
    assertThat(byName(tokenizer, "some/model").family()).isEqualTo("roles");
  }

  @Test
  void anUnknownTemplateRefusesConversationsAndTakesText() {
    Renderer renderer = Renderers.detect(withTemplate("<start_of_turn>{{ messages }}"));

    assertThat(renderer.render(new Text("abc"))).hasSize(1);
    assertThatThrownBy(() -> renderer.prompt(Conversation.of(Message.user("a"))))
        .isInstanceOf(UnsupportedModelException.class).hasMessageContaining("Renderers.of")
        .hasMessageContaining("chatml");
  }

  @Test
  void namesAreForgiving() {
    assertThat(Renderers.of("Qwen3_Disable_Thinking", TextFixtures.small()).family()).isEqualTo("qwen3-no-thinking");
    assertThatThrownBy(() -> Renderers.of("alpaca", TextFixtures.small())).isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("alpaca").hasMessageContaining("llama3, llama3.1, qwen2.5, qwen3");
  }

  @Test
  void aFamilyWhoseTokensAreMissingIsRefused() {
    Tokenizer gpt2 = Tokenizers.open(TextFixtures.shared("tokenizers/gpt2"));
    assertThatThrownBy(() -> Renderers.of("qwen3", gpt2)).isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("qwen3 needs the token <|im_start|>");
  }

  @Test
  void printsItself() {
    Renderer renderer = Renderers.of("qwen3", TextFixtures.small());
    assertThat(renderer).hasToString("Renderer[qwen3, trains last assistant message]");
    assertThat(renderer.trainOn(TrainOn.ALL_USER_AND_SYSTEM_MESSAGES).toString()).hasSizeLessThanOrEqualTo(80);
  }
}
