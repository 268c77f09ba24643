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
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

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

  @Test
  void plainChatMlMayHaveItsOwnDefaultSystemMessage() {
    Renderer renderer = Renderers.detect(withTemplate("{% for message in messages %}{% if loop.first and"
        + " messages[0]['role'] != 'system' %}{{ '<|im_start|>system\\nBe kind.<|im_end|>\\n' }}{% endif %}"
        + "{{'<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n'}}{% endfor %}"));

    assertThat(renderer.family()).isEqualTo("template");
    assertThat(renderer.tokenizer().decodeAll(renderer.prompt(Conversation.of(Message.user("a"))))).isEqualTo(
        "<|im_start|>system\nBe kind.<|im_end|>\n<|im_start|>user\na<|im_end|>\n");
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
  void aBrokenTemplateRefusesConversationsAndTakesText() {
    Renderer renderer = Renderers.detect(withTemplate("a\n  {% for m in messages %}{{ m.content"));

    assertThat(renderer.render(new Text("abc"))).hasSize(1);
    assertThatThrownBy(() -> renderer.prompt(Conversation.of(Message.user("a")))).isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("chat template of " + directory.resolve("model")).hasMessageContaining("line 2, column 38");
  }

  @Test
  void whatATemplateRefusesIsSaidInItsWords() {
    Renderer renderer = Renderers.detect(withTemplate("{% for m in messages %}{% if m.role == 'system' %}"
        + "{{ raise_exception('No system, please') }}{% endif %}{{ m.content }}{% endfor %}"));

    assertThatThrownBy(() -> renderer.prompt(Conversation.of(Message.system("a")))).isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("line 1, column").hasMessageContaining("the template refuses: No system, please");
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
