package dev.fettle.langchain4j;

import dev.fettle.Conversation;
import dev.fettle.InvalidInputException;
import dev.fettle.Message;
import dev.fettle.Renderer;
import dev.fettle.Sample;
import dev.fettle.SamplingParams;
import dev.fettle.Token;
import dev.fettle.ToolCall;
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
import java.util.Arrays;
import java.util.List;
import java.util.UUID;

/**
 * A request that was checked and rendered.
 *
 * @param prompt its tokens
 * @param params how to sample, with what ends an answer
 * @param own the request's own stop texts
 */
record PreparedChat(ChatSettings settings, int[] prompt, SamplingParams params, List<String> own) {
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
      int[] prompt = renderer.prompt(chat);
      if (!tools.isEmpty() && Arrays.equals(prompt, renderer.prompt(new Conversation(chat.messages(), List.of())))) {
        throw ChatSettings.unsupported("a request with tools", "the model's chat template has no place for them");
      }
      return new PreparedChat(settings, prompt, params.stoppingAtEndOf(renderer), params.stop());
    } catch (InvalidInputException e) {
      throw new InvalidRequestException(e);
    }
  }

  /** The whole answer. */
  ChatResponse answer() {
    try {
      Sample sample = settings.sampler().sample(prompt, params).get(0);
      return response(read(sample.tokens()), sample.tokens().length, sample.stopReason() == Sample.StopReason.LENGTH);
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

  /** Whether the prompt itself opened the block in which the model thinks. */
  boolean thinks() {
    return renderer().tokenizer().decodeAll(prompt).stripTrailing().endsWith(AnswerParts.THINK);
  }

  /** The message in sampled tokens, up to the request's own stop texts. */
  Message read(int[] tokens) {
    Message message = renderer().parse(tokens);
    String content = cut(message.content());
    String reasoning = cut(message.reasoning());
    if (thinks() && !renderer().tokenizer().decodeAll(tokens).contains(AnswerParts.THOUGHT)) {
      return Message.assistant("").withReasoning(content.strip());
    }
    return Message.assistant(content).withReasoning(reasoning).withToolCalls(message.toolCalls().toArray(ToolCall[]::new));
  }

  private String cut(String text) {
    int end = own.stream().mapToInt(text::indexOf).filter(at -> at >= 0).min().orElse(text.length());
    return text.substring(0, end);
  }

  /** Whether sampling ended for want of room, as a stream does not say. */
  boolean cutOff(int[] tokens) {
    int last = tokens.length == 0 ? -1 : tokens[tokens.length - 1];
    boolean full = tokens.length >= params.maxTokens()
        || renderer().contextLength().stream().anyMatch(length -> prompt.length + tokens.length >= length);
    return full && !params.stopTokens().contains(last) && !renderer().tokenizer().special(last)
        && params.stop().stream().noneMatch(renderer().tokenizer().decode(tokens)::contains);
  }

  /** A response with ids for the calls that have none: nine letters and digits, as Mistral's templates demand. */
  ChatResponse response(Message message, int sampled, boolean cutOff) {
    List<ToolExecutionRequest> calls = message.toolCalls().stream().map(call -> ToolExecutionRequest.builder()
        .id(call.id().isEmpty() ? id().substring(0, ID_LENGTH) : call.id())
        .name(call.name()).arguments(call.arguments()).build()).toList();
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

  private static String id() {
    return UUID.randomUUID().toString().replace("-", "");
  }
}
