package dev.fettle.langchain4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fettle.Message;
import dev.fettle.Renderer;
import dev.fettle.Token;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.chat.response.PartialResponse;
import dev.langchain4j.model.chat.response.PartialResponseContext;
import dev.langchain4j.model.chat.response.PartialThinking;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Answers on their way: what the contract of LangChain4j does not ask. */
class StreamedChatTest {
  private static final String CALL = "<tool_call>\n{\"name\": \"getWeather\", \"arguments\": {\"city\": \"Munich\"}}\n</tool_call>";

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

  @ParameterizedTest
  @ValueSource(strings = {"Hello", "  spaced \n\n out \n", "<think>\nIt is late.\n</think>\n\nGood night.", "<think>\ncut off",
      "<think>\n\n</think>\n\n1 < 2 <b> <tool", "a\n" + CALL, CALL + "\n" + CALL, "<tool_call>no call", "{\"is\": \"JSON\"}",
      "Look: " + CALL + " and more", "<thin"})
  void piecesGiveTheWholeAndNoneIsTakenBack(String answer) {
    Renderer renderer = TaughtModel.get().sampler().renderer();
    int[] ids = renderer.tokenizer().encode(answer);
    AnswerParts parts = new AnswerParts(renderer, false);
    StringBuilder text = new StringBuilder();
    StringBuilder thinking = new StringBuilder();
    List<String> before = new ArrayList<>();

    for (int id : ids) {
      parts.add(new Token(id, renderer.tokenizer().decode(id), 0));
      AnswerParts.Piece piece = parts.next();
      text.append(piece.text());
      thinking.append(piece.thinking());
      before.add(text.toString());
    }
    Message whole = renderer.parse(ids);
    Message agreed = parts.agreed(whole);
    AnswerParts.Piece rest = parts.rest(agreed);

    assertThat(agreed).isEqualTo(whole);
    assertThat(text + rest.text()).isEqualTo(whole.content());
    assertThat(thinking + rest.thinking()).isEqualTo(whole.reasoning());
    assertThat(before).noneMatch(given -> given.contains("<tool_call") || given.contains("<think"));
  }

  @Test
  void whatWasGivenStaysWhereTheWholeIsReadOtherwise() {
    Renderer renderer = TaughtModel.get().sampler().renderer();
    AnswerParts parts = new AnswerParts(renderer, false);
    parts.add(new Token(0, "Not marked as thinking.", 0));
    String given = parts.next().text();
    parts.add(new Token(0, "</think>\n\nHello", 0));

    Message agreed = parts.agreed(Message.assistant("Hello").withReasoning("Not marked as thinking."));

    assertThat(agreed).isEqualTo(Message.assistant("Not marked as thinking.</think>\n\nHello"));
    assertThat(given + parts.rest(agreed).text()).isEqualTo(agreed.content());
  }

  @Test
  void aPromptThatOpensTheThinkingIsKnown() {
    Renderer renderer = TaughtModel.get().sampler().renderer();
    AnswerParts parts = new AnswerParts(renderer, true);
    StringBuilder said = new StringBuilder();

    for (int id : renderer.tokenizer().encode("\nIt is late.\n</think>\n\nGood night.")) {
      parts.add(new Token(id, renderer.tokenizer().decode(id), 0));
      AnswerParts.Piece piece = parts.next();
      said.append(piece.thinking().isEmpty() ? "" : "(" + piece.thinking() + ")").append(piece.text());
    }

    assertThat(said.toString().replace(")(", "")).isEqualTo("(It is late.)Good night.");
  }
}
