package dev.fettle.langchain4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fettle.Conversation;
import dev.fettle.Fettle;
import dev.fettle.InvalidInputException;
import dev.fettle.Message;
import dev.fettle.Sampler;
import dev.langchain4j.data.message.AiMessage;
import dev.langchain4j.data.message.CustomMessage;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.exception.UnsupportedFeatureException;
import dev.langchain4j.model.chat.ChatModel;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.langchain4j.model.chat.request.ToolChoice;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.output.TokenUsage;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Chats: what the contract of LangChain4j does not ask. */
class ChatModelTest {
  private static final UserMessage HELLO = UserMessage.from("hello");

  private static FettleChatModel.Builder model() {
    return FettleChatModel.builder().sampler(TaughtModel.get().sampler());
  }

  private static ChatRequest request(ChatRequestParameters parameters) {
    return ChatRequest.builder().messages(HELLO).parameters(parameters).build();
  }

  @Test
  void usageCountsThePromptAsTheTemplateWritesItAndTheAnswerWithItsEnd() {
    Sampler sampler = TaughtModel.get().sampler();
    ChatResponse response = model().modelName("taught").build().chat(UserMessage.from("Say 'Hello World'"));

    int in = sampler.renderer().prompt(Conversation.of(Message.user("Say 'Hello World'"))).length;
    int out = sampler.tokenizer().encode("Hello World").length + 1;
    assertThat(response.tokenUsage()).isEqualTo(new TokenUsage(in, out));
    assertThat(response.modelName()).isEqualTo("taught");
  }

  @Test
  void requestsDifferUnlessASeedIsGiven() {
    ChatModel free = model().temperature(2.0).maxOutputTokens(20).build();
    ChatModel seeded = model().temperature(2.0).maxOutputTokens(20).seed(7L).build();

    assertThat(IntStream.range(0, 3).mapToObj(i -> free.chat("Anything?")).distinct().count()).isGreaterThan(1);
    assertThat(IntStream.range(0, 3).mapToObj(i -> seeded.chat("Anything?")).distinct()).hasSize(1);
  }

  @Test
  void whatCannotBeDoneIsRejectedByName() {
    ChatModel model = model().build();
    Map<String, ChatRequestParameters> all = Map.of(
        "frequencyPenalty is not supported", ChatRequestParameters.builder().frequencyPenalty(0.5).build(),
        "presencePenalty is not supported", ChatRequestParameters.builder().presencePenalty(0.5).build());

    all.forEach((message, parameters) -> assertThatThrownBy(() -> model.chat(request(parameters)))
        .isExactlyInstanceOf(UnsupportedFeatureException.class).hasMessageContaining(message));
    assertThatThrownBy(() -> model.chat(HELLO, CustomMessage.from(Map.of("a", 1))))
        .isExactlyInstanceOf(UnsupportedFeatureException.class).hasMessageContaining("CUSTOM is not supported");
    assertThat(model.chat(request(ChatRequestParameters.builder().frequencyPenalty(0.0).build())).aiMessage().text()).isNotEmpty();
  }

  @Test
  void toolsThatTheTemplateWouldDropAreRejectedAndThoseThatMayNotBeCalledAreNotWritten() {
    try (Fettle fettle = Fettle.local()) {
      ChatModel plain = FettleChatModel.builder().model(fettle.load("fettle-tiny")).maxOutputTokens(2).build();
      ChatRequestParameters tools = ChatRequestParameters.builder().toolSpecifications(TaughtModel.WEATHER).build();
      ChatRequestParameters none = ChatRequestParameters.builder().toolSpecifications(TaughtModel.WEATHER)
          .toolChoice(ToolChoice.NONE).build();

      assertThatThrownBy(() -> plain.chat(request(tools))).isExactlyInstanceOf(UnsupportedFeatureException.class)
          .hasMessage("a request with tools is not supported: the model's chat template has no place for them");
      ChatResponse response = plain.chat(request(none));
      assertThat(response.modelName()).isEqualTo("fettle-tiny");
      assertThat(response.tokenUsage().inputTokenCount())
          .isEqualTo(plain.chat(request(ChatRequestParameters.builder().build())).tokenUsage().inputTokenCount());
    }
  }

  @Test
  void wrongInputIsAnInvalidRequestThatSaysWhy() {
    ChatModel model = model().build();

    assertThatThrownBy(() -> model.chat(request(ChatRequestParameters.builder().temperature(-1.0).build())))
        .isExactlyInstanceOf(InvalidRequestException.class).hasMessageContaining("temperature -1.0: give at least 0")
        .hasCauseExactlyInstanceOf(InvalidInputException.class);
    assertThatThrownBy(() -> model.chat("much too long ".repeat(200)))
        .isExactlyInstanceOf(InvalidRequestException.class).hasMessageContaining("512");
    assertThatThrownBy(() -> FettleChatModel.builder().build()).isExactlyInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("sampler(training.sampler())");
  }

  @Test
  void earlierThinkingIsSentToTheTemplateWhereThatIsAskedFor() {
    List<Integer> lengths = List.of(true, false).stream().map(send -> model().sendThinking(send).maxOutputTokens(1).build()
        .chat(UserMessage.from("a"), AiMessage.builder().thinking("It is late.").text("b").build(), UserMessage.from("c"))
        .tokenUsage().inputTokenCount()).toList();

    assertThat(lengths.get(0)).isGreaterThan(lengths.get(1));
  }
}
