package dev.fettle.langchain4j;

import dev.fettle.InvalidInputException;
import dev.fettle.Token;
import dev.fettle.internal.text.AnswerStream;
import dev.langchain4j.agent.tool.ToolExecutionRequest;
import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.internal.InternalStreamingChatResponseHandlerUtils;
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
  private final List<Integer> ids = new ArrayList<>();
  private final List<ToolExecutionRequest> calls = new ArrayList<>();
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
    AnswerStream parts = chat.parts();
    Iterator<Token> tokens = chat.stream().iterator();
    boolean more = tokens.hasNext();
    while (more && !cancelled) {
      Token token = tokens.next();
      ids.add(token.id());
      more = tokens.hasNext();
      List<AnswerStream.Part> certain = new ArrayList<>(parts.take(chat.text(token)));
      // The last token's text is given with the rest, so that no token makes two pieces.
      certain.addAll(more ? List.of() : parts.end());
      give(certain);
    }
    if (!cancelled) {
      int[] sampled = ids.stream().mapToInt(Integer::intValue).toArray();
      InternalStreamingChatResponseHandlerUtils.onCompleteResponse(handler,
          chat.response(parts.message(), calls, sampled.length, chat.cutOff(sampled)));
    }
  }

  private void give(List<AnswerStream.Part> parts) {
    StringBuilder thought = new StringBuilder();
    StringBuilder said = new StringBuilder();
    List<ToolExecutionRequest> called = new ArrayList<>();
    for (AnswerStream.Part part : parts) {
      if (part instanceof AnswerStream.Thought more) {
        thought.append(more.text());
      } else if (part instanceof AnswerStream.Content more) {
        said.append(more.text());
      } else if (part instanceof AnswerStream.Call more) {
        called.add(PreparedChat.call(more.call()));
      }
    }
    if (chat.settings().returnThinking() && !cancelled) {
      InternalStreamingChatResponseHandlerUtils.onPartialThinking(handler, thought.toString(), this);
    }
    if (!cancelled) {
      InternalStreamingChatResponseHandlerUtils.onPartialResponse(handler, said.toString(), this);
    }
    for (ToolExecutionRequest call : called) {
      calls.add(call);
      if (!cancelled) {
        InternalStreamingChatResponseHandlerUtils.onCompleteToolCall(handler, new CompleteToolCall(calls.size() - 1, call));
      }
    }
  }
}
