package dev.fettle.langchain4j;

import dev.langchain4j.model.chat.StreamingChatModel;
import dev.langchain4j.model.chat.listener.ChatModelListener;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import java.util.List;

/**
 * Chats with a model in this process and gives the answer as it comes. What a request may ask for is as in
 * {@link FettleChatModel}.
 *
 * <p>A request is checked by the caller's thread, which gets its errors. Then a daemon thread of its own samples and calls the
 * handler, which may cancel. Text that may turn out to be a tool call is held back until it is known; a call is
 * given whole, when it is complete. Thread-safe; closes nothing.
 */
public final class FettleStreamingChatModel implements StreamingChatModel {
  private final ChatSettings settings;

  private FettleStreamingChatModel(ChatSettings settings) {
    this.settings = settings;
  }

  /** What to build one with; a sampler or a model is all that it needs. */
  public static Builder builder() {
    return new Builder();
  }

  @Override
  public void doChat(ChatRequest request, StreamingChatResponseHandler handler) {
    PreparedChat chat = PreparedChat.of(settings, request);
    Thread thread = new Thread(new StreamedChat(chat, handler), "fettle-chat");
    thread.setDaemon(true);
    thread.start();
  }

  @Override
  public ChatRequestParameters defaultRequestParameters() {
    return settings.defaults();
  }

  @Override
  public List<ChatModelListener> listeners() {
    return settings.listeners();
  }

  /** Builds a {@link FettleStreamingChatModel}. Not thread-safe. */
  public static final class Builder extends ChatBuilder<Builder> {
    private Builder() {}

    /**
     * The model.
     *
     * @throws IllegalArgumentException if neither a sampler nor a model was given
     * @throws dev.langchain4j.exception.UnsupportedFeatureException if a default asks for what Fettle cannot do
     */
    public FettleStreamingChatModel build() {
      return new FettleStreamingChatModel(settings());
    }
  }
}
