package dev.fettle.internal.openai;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fettle.Fettle;
import dev.fettle.FettleServer;
import dev.fettle.InvalidInputException;
import dev.fettle.internal.json.JsonNode;
import dev.fettle.internal.json.JsonReader;
import dev.fettle.internal.openai.Api.Answer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Several adapters over one base: each by its name, with tools, and with texts whose characters take several tokens. */
class AdaptersTest {
  private static final String CHAT = "/v1/chat/completions";
  private static final List<JsonNode> TOOLS = List.of(JsonReader.STANDARD.read(ServedTiny.TOOL));

  @TempDir
  static Path directory;
  private static ServedTiny served;

  @BeforeAll
  static void start() throws IOException {
    served = new ServedTiny(directory);
  }

  @AfterAll
  static void stop() {
    served.close();
  }

  private static JsonNode choice(Answer answer) {
    assertThat(answer.status()).as(answer.body()).isEqualTo(200);
    return answer.json().path("choices").path(0);
  }

  private static String content(Answer streamed) {
    return streamed.events().stream().map(e -> e.path("choices").path(0).path("delta").path("content").asString(""))
        .collect(Collectors.joining());
  }

  @Test
  void allAreListedAndEachIsFoundByItsName() {
    JsonNode models = served.api.get("/v1/models").json().path("data");

    assertThat(models.valueStream().map(m -> m.path("id").stringValue()).toList()).containsExactly("tiny", "caller", "greeter");
    assertThat(models.path(1).path("parent").stringValue()).isEqualTo("tiny");
    assertThat(served.api.get("/v1/models/greeter").json().path("id").stringValue()).isEqualTo("greeter");
    assertThat(served.api.get("/v1/models/nobody").status()).isEqualTo(404);
  }

  @Test
  void twoAtOnceAnswerEachForItself() {
    List<CompletableFuture<Answer>> greeters = new ArrayList<>();
    List<CompletableFuture<Answer>> others = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      greeters.add(CompletableFuture.supplyAsync(() -> served.api.post(CHAT, ServedTiny.chat("greeter"))));
      others.add(CompletableFuture.supplyAsync(() -> served.api.post(CHAT, ServedTiny.chat("caller", "tools", TOOLS))));
    }

    assertThat(greeters).allSatisfy(a -> assertThat(choice(a.join()).path("message").path("content").stringValue())
        .isEqualTo(ServedTiny.GREETING));
    assertThat(others).allSatisfy(a -> assertThat(choice(a.join()).path("finish_reason").stringValue()).isEqualTo("tool_calls"));
  }

  @Test
  void aCharacterOfSeveralTokensComesWhole() {
    Answer streamed = served.api.post(CHAT, ServedTiny.chat("greeter", "stream", true));

    assertThat(content(streamed)).isEqualTo(ServedTiny.GREETING);
    assertThat(streamed.events()).hasSizeGreaterThan(8);
  }

  @Test
  void bytesOfTokensAreThoseOfTheText() {
    JsonNode logprobs = choice(served.api.post(CHAT, ServedTiny.chat("greeter", "logprobs", true, "top_logprobs", 3)))
        .path("logprobs").path("content");
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    for (JsonNode token : logprobs) {
      token.path("bytes").forEach(b -> bytes.write(b.intValue()));
      assertThat(token.path("top_logprobs").size()).isEqualTo(3);
      assertThat(token.path("top_logprobs").path(0).path("logprob").doubleValue()).isEqualTo(token.path("logprob").doubleValue());
    }

    assertThat(bytes.toString(StandardCharsets.UTF_8)).isEqualTo(ServedTiny.GREETING);
  }

  @Test
  void aStopTextAcrossTokensIsCutWhetherStreamedOrNot() {
    int at = ServedTiny.GREETING.indexOf("👋, n");
    String before = ServedTiny.GREETING.substring(0, at);
    Map<String, Object> request = ServedTiny.chat("greeter", "stop", List.of("never", "👋, n"));

    JsonNode whole = choice(served.api.post(CHAT, request));
    request.put("stream", true);
    Answer streamed = served.api.post(CHAT, request);

    assertThat(whole.path("message").path("content").stringValue()).isEqualTo(before);
    assertThat(whole.path("finish_reason").stringValue()).isEqualTo("stop");
    assertThat(content(streamed)).isEqualTo(before);
  }

  @Test
  void aCallOfAToolIsToldApartFromTheContent() {
    JsonNode message = choice(served.api.post(CHAT, ServedTiny.chat("caller", "tools", TOOLS))).path("message");

    assertThat(message.path("content").stringValue()).isEqualTo("Let me see.");
    JsonNode call = message.path("tool_calls").path(0);
    assertThat(call.path("function").path("name").stringValue()).isEqualTo("weather");
    assertThat(call.path("function").path("arguments").stringValue()).isEqualTo(ServedTiny.ARGUMENTS);
    assertThat(call.path("id").stringValue()).startsWith("call_");
  }

  @Test
  void aCallOfAToolIsStreamed() {
    Answer streamed = served.api.post(CHAT, ServedTiny.chat("caller", "tools", TOOLS, "stream", true));
    List<JsonNode> calls = streamed.events().stream().map(e -> e.path("choices").path(0).path("delta").path("tool_calls"))
        .filter(JsonNode::isArray).toList();

    assertThat(content(streamed)).isEqualTo("Let me see.");
    assertThat(calls).hasSize(1);
    assertThat(calls.get(0).path(0).path("function").path("arguments").stringValue()).isEqualTo(ServedTiny.ARGUMENTS);
    List<JsonNode> events = streamed.events();
    assertThat(events.get(events.size() - 1).path("choices").path(0).path("finish_reason").stringValue()).isEqualTo("tool_calls");
  }

  @Test
  void theAnswerOfAToolGoesBackIntoTheChat() {
    List<Object> messages = List.of(Map.of("role", "user", "content", ServedTiny.QUESTION),
        Map.of("role", "assistant", "tool_calls", List.of(Map.of("id", "call_1", "type", "function",
            "function", Map.of("name", "weather", "arguments", ServedTiny.ARGUMENTS)))),
        Map.of("role", "tool", "tool_call_id", "call_1", "content", "21 degrees"));
    Answer answer = served.api.post(CHAT, ServedTiny.chat("tiny", "tools", TOOLS, "messages", messages));

    assertThat(choice(answer).path("message").path("role").stringValue()).isEqualTo("assistant");
    assertThat(answer.json().path("usage").path("prompt_tokens").intValue())
        .isGreaterThan(served.model.tokenizer().encode(ServedTiny.ARGUMENTS + "21 degrees").length);
  }

  @Test
  void toolsThatMayNotBeCalledAreNotShown() {
    Map<String, Object> request = ServedTiny.chat("tiny", "max_tokens", 1);
    int without = served.api.post(CHAT, request).json().path("usage").path("prompt_tokens").intValue();
    request.put("tools", TOOLS);
    int with = served.api.post(CHAT, request).json().path("usage").path("prompt_tokens").intValue();
    request.put("tool_choice", "none");

    assertThat(with).isGreaterThan(without);
    assertThat(served.api.post(CHAT, request).json().path("usage").path("prompt_tokens").intValue()).isEqualTo(without);
  }

  @Test
  void anAdapterThatIsNoneIsRefusedBeforeAnythingIsServed() {
    try (Fettle fettle = Fettle.local()) {
      FettleServer.Setup setup = FettleServer.serve(fettle, "fettle-tiny");

      assertThatThrownBy(() -> setup.adapter("broken", directory.resolve("nothing")).start())
          .isInstanceOf(InvalidInputException.class).hasMessageContaining("nothing");
      assertThatThrownBy(() -> setup.adapter("fettle-tiny", directory.resolve("caller")).start())
          .isInstanceOf(InvalidInputException.class).hasMessageContaining("called as the base model");
      assertThatThrownBy(() -> setup.adapter("a", directory).adapter("a", directory)).isInstanceOf(InvalidInputException.class);
    }
  }
}
