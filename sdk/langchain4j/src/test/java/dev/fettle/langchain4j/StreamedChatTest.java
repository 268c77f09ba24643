package dev.fettle.langchain4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.chat.response.PartialResponse;
import dev.langchain4j.model.chat.response.PartialResponseContext;
import dev.langchain4j.model.chat.response.PartialThinking;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Answers on their way: what the contract of LangChain4j does not ask. */
class StreamedChatTest {
  /** Collects what comes. */
  private static final class Heard implements StreamingChatResponseHandler {
    private final StringBuilder text = new StringBuilder();
    private final StringBuilder thinking = new StringBuilder();
    private final int most;
    private int pieces;
    private final CompletableFuture<ChatResponse> response = new CompletableFuture<>();

    Heard(int most) {
      this.most = most;
    }

    @Override
    public void onPartialResponse(PartialResponse piece, PartialResponseContext context) {
      text.append(piece.text());
      if (++pieces == most) {
        context.streamingHandle().cancel();
      }
    }

    @Override
    public void onPartialThinking(PartialThinking piece) {
      thinking.append(piece.text());
    }

    @Override
    public void onCompleteResponse(ChatResponse complete) {
      response.complete(complete);
    }

    @Override
    public void onError(Throwable error) {
      response.completeExceptionally(error);
    }
  }

  private static FettleStreamingChatModel.Builder model() {
    return FettleStreamingChatModel.builder().sampler(TaughtModel.get().sampler());
  }

  @Test
  void aCancelledAnswerStopsWithoutAResponse() {
    ChatRequest request = ChatRequest.builder().messages(UserMessage.from("Tell me a long story about animals")).build();
    Heard heard = new Heard(3);
    StreamedChat chat = new StreamedChat(PreparedChat.of(new Settings().settings(), request), heard);

    chat.run();

    assertThat(chat.isCancelled()).isTrue();
    assertThat(heard.pieces).isEqualTo(3);
    assertThat(heard.response).isNotDone();
  }

  private static final class Settings extends ChatBuilder<Settings> {
    Settings() {
      sampler(TaughtModel.get().sampler());
    }
  }

  @Test
  void thinkingIsGivenToThoseWhoAskForIt() throws Exception {
    Heard asked = new Heard(-1);
    Heard silent = new Heard(-1);
    ChatRequest request = ChatRequest.builder().messages(UserMessage.from("Think, then answer."))
        .toolSpecifications(TaughtModel.WEATHER).build();

    model().returnThinking(true).build().chat(request, asked);
    model().build().chat(request, silent);
    ChatResponse response = asked.response.get(1, TimeUnit.MINUTES);

    assertThat(response.aiMessage().thinking()).isEqualTo("It is late.").isEqualTo(asked.thinking.toString());
    assertThat(response.aiMessage().text()).isEqualTo("Good night.").isEqualTo(asked.text.toString());
    assertThat(silent.response.get(1, TimeUnit.MINUTES).aiMessage().thinking()).isNull();
    assertThat(silent.thinking).isEmpty();
  }

  @Test
  void whatFailsWhileItSamplesComesToTheHandlerAsAnInvalidRequest() {
    Heard heard = new Heard(-1);

    model().build().chat("much too long ".repeat(200), heard);

    assertThatThrownBy(() -> heard.response.get(1, TimeUnit.MINUTES)).cause()
        .isExactlyInstanceOf(InvalidRequestException.class).hasMessageContaining("512");
  }
}
