package dev.fettle.langchain4j;

import dev.fettle.InvalidInputException;
import dev.fettle.Message;
import dev.fettle.Token;
import dev.langchain4j.agent.tool.ToolExecutionRequest;
import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.internal.InternalStreamingChatResponseHandlerUtils;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.chat.response.CompleteToolCall;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import dev.langchain4j.model.chat.response.StreamingHandle;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;

/** One answer on its way to a handler. What the handler throws goes to its own {@code onError} and stops nothing. */
final class StreamedChat implements Runnable, StreamingHandle {
  private final PreparedChat chat;
  private final StreamingChatResponseHandler handler;
  private volatile boolean cancelled;

  StreamedChat(PreparedChat chat, StreamingChatResponseHandler handler) {
    this.chat = chat;
    this.handler = handler;
  }

  @Override
  public void cancel() {
    cancelled = true;
  }

  @Override
  public boolean isCancelled() {
    return cancelled;
  }

  @Override
  public void run() {
    try {
      stream();
    } catch (InvalidInputException e) {
      fail(new InvalidRequestException(e));
    } catch (RuntimeException | Error e) {
      fail(e);
    }
  }

  private void fail(Throwable error) {
    if (!cancelled) {
      InternalStreamingChatResponseHandlerUtils.withLoggingExceptions(() -> handler.onError(error));
    }
  }

  private void stream() {
    AnswerParts parts = new AnswerParts(chat.renderer(), chat.thinks());
    List<Integer> ids = new ArrayList<>();
    Iterator<Token> tokens = chat.stream().iterator();
    boolean more = tokens.hasNext();
    while (more && !cancelled) {
      Token token = tokens.next();
      ids.add(token.id());
      parts.add(token);
      more = tokens.hasNext();
      // The last token's text is given with the rest, so that no token makes two pieces.
      if (more) {
        give(parts.next());
      }
    }
    if (!cancelled) {
      complete(parts, ids.stream().mapToInt(Integer::intValue).toArray());
    }
  }

  private void complete(AnswerParts parts, int[] tokens) {
    Message message = parts.agreed(chat.read(tokens));
    give(parts.rest(message));
    ChatResponse response = chat.response(message, tokens.length, chat.cutOff(tokens));
    List<ToolExecutionRequest> calls = response.aiMessage().toolExecutionRequests();
    for (int i = 0; i < calls.size() && !cancelled; i++) {
      InternalStreamingChatResponseHandlerUtils.onCompleteToolCall(handler, new CompleteToolCall(i, calls.get(i)));
    }
    if (!cancelled) {
      InternalStreamingChatResponseHandlerUtils.onCompleteResponse(handler, response);
    }
  }

  private void give(AnswerParts.Piece piece) {
    if (chat.settings().returnThinking() && !cancelled) {
      InternalStreamingChatResponseHandlerUtils.onPartialThinking(handler, piece.thinking(), this);
    }
    if (!cancelled) {
      InternalStreamingChatResponseHandlerUtils.onPartialResponse(handler, piece.text(), this);
    }
  }
}
