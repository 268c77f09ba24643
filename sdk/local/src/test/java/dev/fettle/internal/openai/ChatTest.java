package dev.fettle.internal.openai;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fettle.BaseModel;
import dev.fettle.Conversation;
import dev.fettle.DType;
import dev.fettle.Fettle;
import dev.fettle.FettleServer;
import dev.fettle.Message;
import dev.fettle.Sample;
import dev.fettle.SamplingParams;
import dev.fettle.internal.json.JsonNode;
import dev.fettle.internal.openai.Api.Answer;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Chats with the built-in model. */
class ChatTest {
  private static final String CHAT = "/v1/chat/completions";

  private static Fettle fettle;
  private static BaseModel model;
  private static FettleServer server;
  private static Api api;

  @BeforeAll
  static void start() {
    fettle = Fettle.local();
    model = fettle.load("fettle-tiny", DType.F32);
    server = FettleServer.serve(fettle, model).start();
    api = new Api(server.uri());
  }

  @AfterAll
  static void stop() {
    server.close();
    fettle.close();
  }

  private static Map<String, Object> request(Object... more) {
    Map<String, Object> out = new LinkedHashMap<>(Map.of("model", "fettle-tiny", "temperature", 0, "max_tokens", 12,
        "messages", List.of(Map.of("role", "user", "content", "Please cancel order 4711."))));
    for (int i = 0; i < more.length; i += 2) {
      out.put((String) more[i], more[i + 1]);
    }
    return out;
  }

  private static Sample expected(SamplingParams params) {
    return model.sampler().sample(Conversation.of(Message.user("Please cancel order 4711.")), params).get(0);
  }

  @Test
  void anAnswerIsWhatTheSamplerGives() {
    Answer answer = api.post(CHAT, request());
    Sample sample = expected(SamplingParams.greedy().maxTokens(12));

    assertThat(answer.status()).as(answer.body()).isEqualTo(200);
    JsonNode choice = answer.json().path("choices").path(0);
    assertThat(choice.path("message").path("role").stringValue()).isEqualTo("assistant");
    assertThat(choice.path("message").path("content").stringValue()).isEqualTo(sample.text());
    assertThat(choice.path("finish_reason").stringValue())
        .isEqualTo(sample.stopReason() == Sample.StopReason.STOP ? "stop" : "length");
    JsonNode usage = answer.json().path("usage");
    assertThat(usage.path("completion_tokens").intValue()).isEqualTo(sample.tokens().length);
    assertThat(usage.path("prompt_tokens").intValue())
        .isEqualTo(model.renderer().prompt(Conversation.of(Message.user("Please cancel order 4711."))).length);
  }

  @Test
  void eventsTogetherAreTheAnswer() {
    Answer answer = api.post(CHAT, request("stream", true, "stream_options", Map.of("include_usage", true)));
    Sample sample = expected(SamplingParams.greedy().maxTokens(12));

    assertThat(answer.type()).startsWith("text/event-stream");
    assertThat(answer.body()).endsWith("data: [DONE]\n\n");
    List<JsonNode> events = answer.events();
    assertThat(events.stream().map(e -> e.path("choices").path(0).path("delta").path("content").asString("")).collect(Collectors.joining()))
        .isEqualTo(sample.text());
    assertThat(events.get(events.size() - 1).path("usage").path("completion_tokens").intValue()).isEqualTo(sample.tokens().length);
  }
}
