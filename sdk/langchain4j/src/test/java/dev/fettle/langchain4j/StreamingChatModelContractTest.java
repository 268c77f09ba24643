package dev.fettle.langchain4j;

import static org.mockito.ArgumentMatchers.argThat;

import dev.langchain4j.model.chat.StreamingChatModel;
import dev.langchain4j.model.chat.common.AbstractStreamingChatModelIT;
import dev.langchain4j.model.chat.listener.ChatModelListener;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.langchain4j.model.chat.response.CompleteToolCall;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import java.util.List;
import org.mockito.InOrder;

/** LangChain4j's own contract of streaming chat models. */
class StreamingChatModelContractTest extends AbstractStreamingChatModelIT {
  @Override
  protected List<StreamingChatModel> models() {
    return List.of(builder().build());
  }

  private static FettleStreamingChatModel.Builder builder() {
    return FettleStreamingChatModel.builder().sampler(TaughtModel.get().sampler());
  }

  @Override
  protected StreamingChatModel createModelWith(ChatRequestParameters parameters) {
    return builder().defaultRequestParameters(parameters).build();
  }

  @Override
  public StreamingChatModel createModelWith(ChatModelListener listener) {
    return builder().listeners(listener).build();
  }

  @Override
  protected ChatRequestParameters createIntegrationSpecificParameters(int maxOutputTokens) {
    return createParameters(maxOutputTokens);
  }

  @Override
  protected void verifyToolCallbacks(StreamingChatResponseHandler handler, InOrder order, String id) {
    order.verify(handler).onCompleteToolCall(argThat(call -> is(call, 0, id)));
  }

  @Override
  protected void verifyToolCallbacks(StreamingChatResponseHandler handler, InOrder order, String first, String second) {
    order.verify(handler).onCompleteToolCall(argThat(call -> is(call, 0, first)));
    order.verify(handler).onCompleteToolCall(argThat(call -> is(call, 1, second)));
  }

  private static boolean is(CompleteToolCall call, int index, String id) {
    return call != null && call.index() == index && call.toolExecutionRequest().id().equals(id);
  }

  /** The contract waits half a minute for a response that must not come; StreamedChatTest cancels too, within a moment. */
  @Override
  protected boolean supportsStreamingCancellation() {
    return false;
  }

  /** A call is known to be one when it is complete. */
  @Override
  protected boolean supportsPartialToolStreaming(StreamingChatModel model) {
    return false;
  }

  @Override
  protected boolean supportsModelNameParameter() {
    return false;
  }

  @Override
  protected boolean supportsToolChoiceRequired() {
    return false;
  }

  @Override
  protected boolean supportsJsonResponseFormat() {
    return false;
  }

  @Override
  protected boolean supportsJsonResponseFormatWithSchema() {
    return false;
  }

  @Override
  protected boolean supportsJsonResponseFormatWithRawSchema() {
    return false;
  }

  @Override
  protected boolean supportsSingleImageInputAsBase64EncodedString() {
    return false;
  }

  @Override
  protected boolean supportsSingleImageInputAsPublicURL() {
    return false;
  }
}
