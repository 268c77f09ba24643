package dev.fettle.langchain4j;

import dev.langchain4j.model.chat.ChatModel;
import dev.langchain4j.model.chat.listener.ChatModelListener;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.langchain4j.model.chat.response.ChatResponse;
import java.util.List;

/**
 * Chats with a model in this process.
 *
 * <pre>{@code
 * ChatModel model = FettleChatModel.builder().sampler(training.sampler()).build();
 * String answer = model.chat("Where is my parcel?");
 * }</pre>
 *
 * <p>Tools are written into the prompt by the model's own chat template and calls are read back from its answer; a template
 * that has no place for them makes a request with tools an {@code UnsupportedFeatureException}. So are tools that must be
 * called ({@code ToolChoice.REQUIRED}), JSON as the response format, penalties, another model's name, and contents that
 * are no text. Thread-safe; closes nothing.
 */
public final class FettleChatModel implements ChatModel {
  private final ChatSettings settings;

  private FettleChatModel(ChatSettings settings) {
    this.settings = settings;
  }

  /** What to build one with; a sampler or a model is all that it needs. */
  public static Builder builder() {
    return new Builder();
  }

  @Override
  public ChatResponse doChat(ChatRequest request) {
    return PreparedChat.of(settings, request).answer();
  }

  @Override
  public ChatRequestParameters defaultRequestParameters() {
    return settings.defaults();
  }

  @Override
  public List<ChatModelListener> listeners() {
    return settings.listeners();
  }

  /** Builds a {@link FettleChatModel}. Not thread-safe. */
  public static final class Builder extends ChatBuilder<Builder> {
    private Builder() {}

    /**
     * The model.
     *
     * @throws IllegalArgumentException if neither a sampler nor a model was given
     * @throws dev.langchain4j.exception.UnsupportedFeatureException if a default asks for what Fettle cannot do
     */
    public FettleChatModel build() {
      return new FettleChatModel(settings());
    }
  }
}
