package dev.fettle.internal.openai;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fettle.Fettle;
import dev.fettle.FettleServer;
import dev.fettle.internal.json.JsonPrinter;
import dev.fettle.internal.openai.Api.Answer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What is refused, and how it is said. */
class RefusedTest {
  private static final String CHAT = "/v1/chat/completions";
  private static final AtomicReference<String> TOKEN = new AtomicReference<>();

  private static Fettle fettle;
  private static FettleServer server;
  private static Api api;

  @BeforeAll
  static void start() {
    fettle = Fettle.local();
    server = FettleServer.serve(fettle, "fettle-tiny").token(TOKEN::get).start();
    api = new Api(server.uri());
  }

  @AfterAll
  static void stop() {
    server.close();
    fettle.close();
  }

  private static String with(String field, String json) {
    Map<String, Object> request = ServedTiny.chat("fettle-tiny", "max_tokens", 1);
    request.remove(field);
    String text = JsonPrinter.line(request);
    return text.substring(0, text.length() - 1) + ", \"" + field + "\": " + json + "}";
  }

  @ParameterizedTest
  @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
      "frequency_penalty|0.5|is not supported", "presence_penalty|1|is not supported", "logit_bias|{\"5\": 1}|is not supported",
      "response_format|{\"type\": \"json_object\"}|is not supported", "tool_choice|\"required\"|is not supported",
      "tools|[{\"type\": \"function\", \"function\": {\"name\": \"f\"}}]|its chat template writes none", "store|true|is not supported",
      "parallel_tool_calls|false|is not supported", "functions|[{}]|give tools", "audio|{}|there is text alone",
      "modalities|[\"audio\"]|there is text alone", "prediction|{}|is not supported", "reasoning_effort|\"low\"|reads no",
      "chat_template_kwargs|{\"x\": 1}|reads no", "min_p|0.1|is not supported", "repetition_penalty|1.1|is not supported",
      "top_logprobs|3|needs logprobs", "stream_options|{\"include_usage\": true}|needs stream", "best_of|2|is not known",
      "temprature|0.5|is not known", "n|0|at least 1", "n|129|at most 128", "n|100000000000|whole number", "n|1.5|whole number",
      "max_tokens|0|at least 1", "max_tokens|-1|at least 1", "max_tokens|512|context is 512", "temperature|\"hot\"|a number",
      "temperature|-0.1|from 0", "top_p|1.1|to 1.0", "top_k|\"x\"|whole number", "seed|1.5|64 bits", "seed|1e30|64 bits",
      "stop|\"\"|empty text", "stop|[1]|a list of texts", "stream|1|true or false", "logprobs|5|true or false",
      "messages|[]|an empty list", "messages|\"hello\"|expected a list", "messages|[{\"role\": \"king\", \"content\": \"x\"}]|role is \"king\"",
      "messages|[{\"role\": \"user\"}]|content is missing", "messages|[1]|expected an object",
      "messages|[{\"role\": \"user\", \"content\": [{\"type\": \"image_url\", \"image_url\": {\"url\": \"x\"}}]}]|only parts of type",
      "messages|[{\"role\": \"user\", \"content\": \"\\ud800\"}]|no Unicode text", "messages|null|is missing", "model|null|is missing"})
  void aFieldIsNamedWithWhatIsWrongAboutIt(String field, String json, String reason) {
    Answer answer = api.post(CHAT, with(field, json));

    assertThat(answer.status()).as(answer.body()).isEqualTo(400);
    assertThat(answer.error()).contains(field).contains(reason);
    assertThat(answer.json().path("error").path("type").stringValue()).isEqualTo("invalid_request_error");
  }

  @Test
  void neutralValuesOfWhatIsNotSupportedAreTaken() {
    Answer answer = api.post(CHAT, ServedTiny.chat("fettle-tiny", "max_tokens", 1, "frequency_penalty", 0, "presence_penalty", 0.0,
        "logit_bias", Map.of(), "response_format", Map.of("type", "text"), "tool_choice", "auto", "tools", List.of(), "store", false,
        "parallel_tool_calls", true, "n", 1, "user", "me", "metadata", Map.of("a", "b"), "service_tier", "auto", "top_p", 1));

    assertThat(answer.status()).as(answer.body()).isEqualTo(200);
  }

  @Test
  void whatIsNotThereIsSaidToBeMissing() {
    Answer model = api.post(CHAT, ServedTiny.chat("gpt-4o"));

    assertThat(model.status()).isEqualTo(404);
    assertThat(model.json().path("error").path("code").stringValue()).isEqualTo("model_not_found");
    assertThat(model.error()).contains("gpt-4o").contains("fettle-tiny");
    assertThat(api.post("/v1/images/generations", Map.of()).status()).isEqualTo(404);
    assertThat(api.get(CHAT).status()).isEqualTo(405);
    assertThat(api.post("/v1/models", Map.of()).status()).isEqualTo(405);
  }

  @Test
  void aPromptBeyondTheContextIsRefusedWithOpenAisCode() {
    Answer answer = api.post(CHAT, ServedTiny.chat("fettle-tiny", "messages",
        List.of(Map.of("role", "user", "content", "order ".repeat(600)))));

    assertThat(answer.status()).isEqualTo(400);
    assertThat(answer.json().path("error").path("code").stringValue()).isEqualTo("context_length_exceeded");
    assertThat(answer.error()).contains("the model's context is 512");
  }

  @Test
  void onlyThoseWithTheTokenAreServed() {
    TOKEN.set("secret");
    try {
      assertThat(api.get("/v1/models").status()).isEqualTo(401);
      assertThat(api.send("GET", "/v1/models", null, "Authorization", "Bearer wrong").error()).contains("not the one");
      assertThat(api.send("GET", "/v1/models", null, "Authorization", "bearer secret").status()).isEqualTo(200);
      assertThat(api.get("/v1/models").json().path("error").path("code").stringValue()).isEqualTo("invalid_api_key");
    } finally {
      TOKEN.set(null);
    }
    assertThat(api.send("GET", "/v1/models", null, "Origin", "http://evil.example").status()).isEqualTo(403);
  }

  @Test
  void noOddRequestIsTheServersFault() {
    byte[] good = JsonPrinter.line(ServedTiny.chat("fettle-tiny", "max_tokens", 1, "n", 1, "stop", List.of("x"), "logprobs", true))
        .getBytes(StandardCharsets.UTF_8);
    Random random = new Random(7);
    List<byte[]> bodies = new ArrayList<>();
    for (int i = 0; i < 120; i++) {
      byte[] odd = java.util.Arrays.copyOf(good, i < 40 ? random.nextInt(good.length) : good.length);
      for (int j = 0; j < i % 5 && odd.length > 0; j++) {
        odd[random.nextInt(odd.length)] = (byte) random.nextInt(256);
      }
      bodies.add(odd);
    }
    List<String> odd = List.of("null", "[]", "{}", "\"\"", "-1", "1e400", "true", "{\"a\": {\"b\": []}}", "[[[[]]]]", "\"\\u0000\"", "99999999999999999999");
    for (String field : List.of("model", "messages", "stop", "n", "tools", "logprobs", "stream", "stream_options", "seed", "prompt", "input",
        "max_tokens", "temperature", "response_format", "chat_template_kwargs")) {
      odd.forEach(value -> bodies.add(with(field, value).getBytes(StandardCharsets.UTF_8)));
    }
    bodies.add("[".repeat(5000).getBytes(StandardCharsets.UTF_8));
    Map<Integer, Integer> statuses = new LinkedHashMap<>();
    for (byte[] body : bodies) {
      for (String path : List.of(CHAT, "/v1/completions", "/v1/embeddings", "/v1/rerank")) {
        if (path.equals(CHAT) || body.length % 3 == 0) {
          Answer answer = api.send("POST", path, body);
          statuses.merge(answer.status(), 1, Integer::sum);
          assertThat(answer.status()).as(path + " " + new String(body, StandardCharsets.UTF_8) + ": " + answer.body()).isLessThan(500);
          if (answer.status() != 200) {
            assertThat(answer.json().path("error").path("message").stringValue()).isNotEmpty();
          }
        }
      }
    }

    assertThat(statuses).containsKeys(200, 400, 404);
    assertThat(api.post(CHAT, ServedTiny.chat("fettle-tiny")).status()).isEqualTo(200);
  }
}
