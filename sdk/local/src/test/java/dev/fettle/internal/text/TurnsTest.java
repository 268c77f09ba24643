package dev.fettle.internal.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fettle.Conversation;
import dev.fettle.InvalidInputException;
import dev.fettle.Message;
import dev.fettle.Renderer;
import dev.fettle.Renderers;
import dev.fettle.Tokenizers;
import dev.fettle.ToolCall;
import dev.fettle.TrainOn;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is trained of templates in the manner of public ones; it stands in double brackets. */
class TurnsTest {
  private static final Conversation CALLS = Conversation.of(Message.user("q"), Message.assistant("")
      .withToolCalls(new ToolCall("", "f", "{\"n\": [1, null, \"x\"]}")), Message.tool("t"), Message.assistant("a"));
  private static final Conversation TWO = Conversation.of(Message.user("q"), Message.assistant("a"), Message.user("r"),
      Message.assistant("b"));

  @TempDir
  Path directory;

  private Renderer renderer(String template) {
    TextFixtures.small(directory, TextFixtures.config("<s>", "</s>"));
    try {
      Files.writeString(directory.resolve("chat_template.jinja"), template);
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
    return Renderers.detect(Tokenizers.open(directory)).trainOn(TrainOn.ALL_ASSISTANT_MESSAGES);
  }

  private String shown(String template, Conversation conversation) {
    return renderer(template).show(conversation, false).replace("\\n\n", "/");
  }

  @Test
  void generationBlocksAreHonouredWithAllThatIsComputedInThem() {
    assertThat(shown("{% for m in messages %}<|im_start|>{{ m.role }}:{% generation %} {% for c in m.tool_calls %}"
        + "{{ c.function.arguments | tojson }}{% endfor %}{{ m.content }}<|im_end|>/{% endgeneration %}{% endfor %}", CALLS))
        .isEqualTo("<|im_start|>user: q<|im_end|>/<|im_start|>assistant:[[ {\"n\": [1, null, \"x\"]}<|im_end|>/]]"
            + "<|im_start|>tool: t<|im_end|>/<|im_start|>assistant:[[ a<|im_end|>/]]");
  }

  @Test
  void aTurnEndsWhereAnotherBeginsThatNamesWhatItCalled() {
    assertThat(shown("{% set ns = namespace(n='') %}{% for m in messages %}<|im_start|>{% if m.role == 'tool' %}{{ ns.n }} says "
        + "{% else %}{{ m.role + '/' }}{% endif %}{% for c in m.tool_calls %}{% set ns.n = c.function.name %}calls {{ ns.n }}"
        + "{% endfor %}{{ m.content }}<|im_end|>{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant/{% endif %}", CALLS))
        .isEqualTo("<|im_start|>user/q<|im_end|><|im_start|>assistant/[[calls f<|im_end|>]]<|im_start|>f says t<|im_end|>"
            + "<|im_start|>assistant/[[a<|im_end|>]]");
  }

  @Test
  void messagesThatAreCountedInsteadOfGoneThrough() {
    assertThat(shown("{% for i in range(messages | length) %}{% set m = messages[i] %}<|im_start|>{{ m.role }}/{{ m.content }}"
        + "<|im_end|>{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant/{% endif %}", TWO))
        .isEqualTo("<|im_start|>user/q<|im_end|><|im_start|>assistant/[[a<|im_end|>]]<|im_start|>user/r<|im_end|>"
            + "<|im_start|>assistant/[[b<|im_end|>]]");
  }

  @Test
  void theEndTokenMayStandBehindTheLoop() {
    String template = "{% for m in messages %}{% if m.role == 'user' %}[INST]{{ m.content }}[/INST]{% else %}{{ m.content }}"
        + "{% if not loop.last %}{{ eos_token }}{% endif %}{% endif %}{% endfor %}{{ eos_token }}";
    assertThat(shown(template, TWO)).isEqualTo("[INST]q[/INST][[a</s>]][INST]r[/INST][[b</s>]]");
  }

  @Test
  void aHeaderThatOnlyBeginsAsThePromptDoes() {
    assertThat(shown("{% for m in messages %}{% if m.role == 'user' %}[INST]{{ m.content }}{% else %}   [/INST]{{ m.content }}</s>"
        + "{% endif %}{% endfor %}{% if add_generation_prompt %}\n   [/INST]<think>/{% endif %}", TWO))
        .isEqualTo("[INST]q   [/INST][[a</s>]][INST]r   [/INST][[b</s>]]");
  }

  @Test
  void historyThatIsRewrittenGivesSeveralSequences() {
    String template = "{% for m in messages %}<|im_start|>{{ m.role }}/{% if loop.last %}{{ m.reasoning_content }}{% endif %}"
        + "{{ m.content }}<|im_end|>{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant/{% endif %}";
    Conversation thinks = Conversation.of(Message.user("q"), Message.assistant("a").withReasoning("h"), Message.user("r"),
        Message.assistant("b").withReasoning("i"));
    assertThat(shown(template, thinks)).isEqualTo("--- 1 of 2 ---\n<|im_start|>user/q<|im_end|><|im_start|>assistant/[[ha<|im_end|>]]"
        + "\n--- 2 of 2 ---\n<|im_start|>user/q<|im_end|><|im_start|>assistant/a<|im_end|><|im_start|>user/r<|im_end|>"
        + "<|im_start|>assistant/[[ib<|im_end|>]]");
  }

  @Test
  void whatIsToBeLearntAndNotWrittenIsRefused() {
    Renderer renderer = renderer("{% for m in messages %}{{ m.content }}<|im_end|>{% endfor %}");
    assertThatThrownBy(() -> renderer.render(CALLS)).isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("message 2 of 4 (assistant)").hasMessageContaining("its tool calls");
    assertThatThrownBy(() -> renderer.render(Conversation.of(Message.user("q"), Message.assistant("a").withReasoning("r"))))
        .hasMessageContaining("its reasoning");
    assertThat(renderer.prompt(CALLS)).isNotEmpty();
  }

  @Test
  void aTemplateOfItsOwnForTools() throws IOException {
    TextFixtures.small(directory, "{\"chat_template\": [{\"name\": \"default\", \"template\": \"plain\"}, {\"name\": \"tool_use\","
        + " \"template\": \"{{ tools | length }} tools\"}]}");
    Renderer renderer = Renderers.detect(Tokenizers.open(directory));
    assertThat(renderer.tokenizer().decodeAll(renderer.prompt(TWO))).isEqualTo("plain");
    assertThat(renderer.tokenizer().decodeAll(renderer.prompt(new Conversation(TWO.messages(), List.of("{}"))))).isEqualTo("1 tools");
    Files.writeString(directory.resolve("tokenizer_config.json"), "{}");
    Files.writeString(directory.resolve("chat_template.json"), "{\"chat_template\": \"beside\"}");
    Renderer beside = Renderers.detect(Tokenizers.open(directory));
    assertThat(beside.tokenizer().decodeAll(beside.prompt(TWO))).isEqualTo("beside");
  }

  @Test
  void anExcludedAnswerIsNotLearnt() {
    String template = "{% for m in messages %}<|im_start|>{{ m.role }}/{{ m.content }}<|im_end|>{% endfor %}";
    assertThat(shown(template, Conversation.of(Message.user("q"), Message.assistant("a").withExcluded(true), Message.assistant("b"))))
        .isEqualTo("<|im_start|>user/q<|im_end|><|im_start|>assistant/a<|im_end|><|im_start|>assistant/[[b<|im_end|>]]");
  }
}
