package dev.fettle.langchain4j;

import dev.fettle.Conversation;
import dev.fettle.InvalidInputException;
import dev.fettle.Message;
import dev.fettle.Renderer;
import dev.fettle.Sample;
import dev.fettle.SamplingParams;
import dev.fettle.Token;
import dev.fettle.ToolCall;
import dev.fettle.internal.text.AnswerStream;
import dev.fettle.internal.text.PromptTokens;
import dev.langchain4j.agent.tool.ToolExecutionRequest;
import dev.langchain4j.agent.tool.ToolSpecification;
import dev.langchain4j.data.message.AiMessage;
import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.langchain4j.model.chat.request.ToolChoice;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.chat.response.ChatResponseMetadata;
import dev.langchain4j.model.output.FinishReason;
import dev.langchain4j.model.output.TokenUsage;
import java.util.List;
import java.util.UUID;

/**
 * A request that was checked and rendered.
 *
 * @param prompt its tokens
 * @param params how to sample, with what ends an answer
 */
record PreparedChat(ChatSettings settings, int[] prompt, SamplingParams params) {
  private static final int ID_LENGTH = 9;

  static PreparedChat of(ChatSettings settings, ChatRequest request) {
    ChatRequestParameters asked = request.parameters();
    settings.requireSupported(asked);
    List<ToolSpecification> tools = asked.toolSpecifications() == null || asked.toolChoice() == ToolChoice.NONE ? List.of()
        : asked.toolSpecifications();
    Conversation chat = ChatMessages.conversation(request.messages(), tools, settings.sendThinking());
    Renderer renderer = settings.sampler().renderer();
    try {
      SamplingParams params = settings.sampling(asked);
      int[] prompt = PromptTokens.of(renderer, chat).orElseThrow(
          () -> ChatSettings.unsupported("a request with tools", "the model's chat template has no place for them"));
      return new PreparedChat(settings, prompt, params.stoppingAtEndOf(renderer));
    } catch (InvalidInputException e) {
      throw new InvalidRequestException(e);
    }
  }

  /** The whole answer. */
  ChatResponse answer() {
    try {
      Sample sample = settings.sampler().sample(prompt, params).get(0);
      Message message = AnswerStream.read(renderer(), prompt, sample.tokens(), params);
      return response(message, message.toolCalls().stream().map(PreparedChat::call).toList(), sample.tokens().length,
          sample.stopReason() == Sample.StopReason.LENGTH);
    } catch (InvalidInputException e) {
      throw new InvalidRequestException(e);
    }
  }

  Iterable<Token> stream() {
    return settings.sampler().stream(prompt, params);
  }

  Renderer renderer() {
    return settings.sampler().renderer();
  }

  /** What tells the parts of this answer apart as its text comes. */
  AnswerStream parts() {
    return new AnswerStream(renderer(), prompt);
  }

  /** A token's text as {@link #parts} reads it: formats with special tokens of their own see them. */
  String text(Token token) {
    return AnswerStream.readsSpecials(renderer()) && renderer().tokenizer().special(token.id()) && !ends(token.id())
        ? renderer().tokenizer().decodeAll(token.id()) : token.text();
  }

  private boolean ends(int id) {
    return params.stopTokens().contains(id);
  }

  /** Whether sampling ended for want of room, as a stream does not say. */
  boolean cutOff(int[] tokens) {
    int last = tokens.length == 0 ? -1 : tokens[tokens.length - 1];
    boolean full = tokens.length >= params.maxTokens()
        || renderer().contextLength().stream().anyMatch(length -> prompt.length + tokens.length >= length);
    return full && !ends(last) && !renderer().tokenizer().special(last)
        && params.stop().stream().noneMatch(renderer().tokenizer().decode(tokens)::contains);
  }

  /** A response; calls as {@link #call} makes them. */
  ChatResponse response(Message message, List<ToolExecutionRequest> calls, int sampled, boolean cutOff) {
    boolean thought = settings.returnThinking() && !message.reasoning().isEmpty();
    AiMessage.Builder said = AiMessage.builder()
        .text(message.content().isEmpty() && !calls.isEmpty() ? null : message.content())
        .thinking(thought ? message.reasoning() : null)
        .toolExecutionRequests(calls);
    return ChatResponse.builder()
        .aiMessage(said.build())
        .metadata(ChatResponseMetadata.builder()
            .id(id())
            .modelName(settings.modelName())
            .tokenUsage(new TokenUsage(prompt.length, sampled))
            .finishReason(cutOff ? FinishReason.LENGTH : calls.isEmpty() ? FinishReason.STOP : FinishReason.TOOL_EXECUTION)
            .build())
        .build();
  }

  /** A call with an id, if it has none one of nine letters and digits, as Mistral's templates demand. */
  static ToolExecutionRequest call(ToolCall call) {
    return ToolExecutionRequest.builder().id(call.id().isEmpty() ? id().substring(0, ID_LENGTH) : call.id())
        .name(call.name()).arguments(call.arguments()).build();
  }

  private static String id() {
    return UUID.randomUUID().toString().replace("-", "");
  }
}
