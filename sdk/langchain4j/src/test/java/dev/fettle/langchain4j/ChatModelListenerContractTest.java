package dev.fettle.langchain4j;

import dev.fettle.ClosedException;
import dev.fettle.Sampler;
import dev.langchain4j.model.chat.ChatModel;
import dev.langchain4j.model.chat.common.AbstractChatModelListenerIT;
import dev.langchain4j.model.chat.listener.ChatModelListener;

/** LangChain4j's own contract of those who listen to chat models. */
class ChatModelListenerContractTest extends AbstractChatModelListenerIT {
  @Override
  protected ChatModel createModel(ChatModelListener listener) {
    return FettleChatModel.builder().sampler(TaughtModel.get().sampler()).modelName(modelName()).temperature(temperature())
        .topP(topP()).maxOutputTokens(maxTokens()).listeners(listener).build();
  }

  @Override
  protected String modelName() {
    return "taught";
  }

  @Override
  protected ChatModel createFailingModel(ChatModelListener listener) {
    Sampler closed = TaughtModel.get().another();
    closed.close();
    return FettleChatModel.builder().sampler(closed).listeners(listener).build();
  }

  @Override
  protected Class<? extends Exception> expectedExceptionClass() {
    return ClosedException.class;
  }
}
