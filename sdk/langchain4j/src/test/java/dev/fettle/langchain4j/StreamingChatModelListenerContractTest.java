package dev.fettle.langchain4j;

import dev.fettle.ClosedException;
import dev.fettle.Sampler;
import dev.langchain4j.model.chat.StreamingChatModel;
import dev.langchain4j.model.chat.common.AbstractStreamingChatModelListenerIT;
import dev.langchain4j.model.chat.listener.ChatModelListener;

/** LangChain4j's own contract of those who listen to streaming chat models. */
class StreamingChatModelListenerContractTest extends AbstractStreamingChatModelListenerIT {
  @Override
  protected StreamingChatModel createModel(ChatModelListener listener) {
    return FettleStreamingChatModel.builder().sampler(TaughtModel.get().sampler()).modelName(modelName()).temperature(temperature())
        .topP(topP()).maxOutputTokens(maxTokens()).listeners(listener).build();
  }

  @Override
  protected String modelName() {
    return "taught";
  }

  @Override
  protected StreamingChatModel createFailingModel(ChatModelListener listener) {
    Sampler closed = TaughtModel.get().another();
    closed.close();
    return FettleStreamingChatModel.builder().sampler(closed).listeners(listener).build();
  }

  @Override
  protected Class<? extends Exception> expectedExceptionClass() {
    return ClosedException.class;
  }
}
