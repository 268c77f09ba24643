package dev.fettle.internal.openai;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import dev.fettle.DType;
import dev.fettle.Sample;
import dev.fettle.internal.HttpServers;
import dev.fettle.internal.LiveRequest;
import dev.fettle.internal.ModelBackend;
import dev.fettle.internal.SampleListener;
import dev.fettle.internal.SampledToken;
import dev.fettle.internal.SamplerBackend;
import dev.fettle.internal.json.JsonNode;
import dev.fettle.internal.json.JsonPrinter;
import dev.fettle.internal.json.JsonReader;
import dev.fettle.internal.json.ObjectNode;
import dev.fettle.internal.local.LocalBackend;
import dev.fettle.internal.openai.Api.Answer;
import dev.fettle.internal.text.SampledText;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Answers that a test writes: with tools, and with characters that take several tokens. All but the choice of tokens is real. */
class ScriptedTest {
  private static final String CHAT = "/v1/chat/completions";
  private static final String TOOL = "{\"type\": \"function\", \"function\": {\"name\": \"weather\", \"parameters\": {\"type\": \"object\"}}}";
  private static final List<JsonNode> TOOLS = List.of(JsonReader.STANDARD.read(TOOL));
  private static final String GREETING = "Grüße 👋🏽, 日本 — naïve 🙂!";
  private static final String ARGUMENTS = "{\"city\": \"Rome\"}";
  private static final String CALLS = "Let me see.\n<tool_call>\n{\"name\": \"weather\", \"arguments\": " + ARGUMENTS + "}\n</tool_call>";
  private static final String TEMPLATE = "{% if tools %}{{ '<|im_start|>system\\n' }}{% for tool in tools %}{{ tool | tojson }}{% endfor %}"
      + "{{ '<|im_end|>\\n' }}{% endif %}{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\\n' }}"
      + "{% if m['content'] %}{{ m['content'] }}{% endif %}{% for call in m.tool_calls or [] %}{{ '\\n<tool_call>\\n{\"name\": \"' "
      + "+ call.function.name + '\", \"arguments\": ' }}{{ call.function.arguments | tojson }}{{ '}\\n</tool_call>' }}{% endfor %}"
      + "{{ '<|im_end|>\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";

  @TempDir
  static Path directory;
  private static LocalBackend backend;
  private static ModelBackend model;
  private static OpenAi calls;
  private static HttpServer http;
  private static Api api;
  private static String script;

  @BeforeAll
  static void start() throws IOException {
    for (String file : List.of("config.json", "generation_config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json")) {
      try (InputStream in = OpenAi.class.getResourceAsStream("/dev/fettle/fettle-tiny/" + file)) {
        Files.write(directory.resolve(file), in.readAllBytes());
      }
    }
    Path config = directory.resolve("tokenizer_config.json");
    JsonNode read = JsonReader.STANDARD.read(Files.readAllBytes(config));
    Files.write(config, JsonPrinter.utf8(((ObjectNode) read).put("chat_template", TEMPLATE)));
    backend = new LocalBackend();
    model = backend.load(directory.toString(), Optional.of(DType.F32));
    SamplerBackend sampler = Instead.of(SamplerBackend.class, model.sampler(), "begin", a -> written((LiveRequest) a[0]));
    calls = new OpenAi(Instead.of(ModelBackend.class, model, "sampler", a -> sampler), "tiny", Map.of(), Bounds.standard());
    http = HttpServers.listen(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
    http.createContext("/", exchange -> calls.handle(exchange, () -> exchange.getRequestBody().readAllBytes()));
    http.start();
    api = new Api(URI.create("http://127.0.0.1:" + http.getAddress().getPort()));
  }

  @AfterAll
  static void stop() {
    http.stop(0);
    calls.close();
    backend.close();
  }

  /** Tells of the script's tokens as if they had been sampled, each the likeliest of three. */
  private static Object written(LiveRequest request) {
    SampledText text = new SampledText(model.tokenizer(), request.specials(), request.prompt(), request.params().stop());
    SampleListener listener = request.listeners().get(0);
    int[] ids = model.tokenizer().encode(script);
    for (int i = 0; i <= ids.length && !text.stopped(); i++) {
      boolean end = i == ids.length;
      int id = end ? model.tokenizer().id("<|im_end|>").getAsInt() : ids[i];
      listener.token(new SampledToken(id, text.take(id, end, false), -0.5f, end, new int[] {id, 4, 5}, new float[] {-0.5f, -2, -3}));
    }
    listener.ended(Sample.StopReason.STOP);
    return null;
  }

  private static Map<String, Object> chat(String answer, Object... more) {
    script = answer;
    return ServedTiny.chat("tiny", more);
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
  void aCharacterOfSeveralTokensComesWhole() {
    Answer streamed = api.post(CHAT, chat(GREETING, "stream", true));

    assertThat(content(streamed)).isEqualTo(GREETING);
    assertThat(streamed.events()).hasSizeGreaterThan(8);
  }

  @Test
  void bytesOfTokensAreThoseOfTheText() {
    JsonNode logprobs = choice(api.post(CHAT, chat(GREETING, "logprobs", true, "top_logprobs", 3)))
        .path("logprobs").path("content");
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    for (JsonNode token : logprobs) {
      token.path("bytes").forEach(b -> bytes.write(b.intValue()));
      assertThat(token.path("top_logprobs").size()).isEqualTo(3);
      assertThat(token.path("top_logprobs").path(0).path("logprob").doubleValue()).isEqualTo(token.path("logprob").doubleValue());
    }

    assertThat(bytes.toString(StandardCharsets.UTF_8)).isEqualTo(GREETING);
  }

  @Test
  void aStopTextAcrossTokensIsCutWhetherStreamedOrNot() {
    int at = GREETING.indexOf("👋🏽, 日");
    String before = GREETING.substring(0, at);
    Map<String, Object> request = chat(GREETING, "stop", List.of("never", "👋🏽, 日"));

    JsonNode whole = choice(api.post(CHAT, request));
    request.put("stream", true);
    Answer streamed = api.post(CHAT, request);

    assertThat(whole.path("message").path("content").stringValue()).isEqualTo(before);
    assertThat(whole.path("finish_reason").stringValue()).isEqualTo("stop");
    assertThat(content(streamed)).isEqualTo(before);
  }

  @Test
  void aCallOfAToolIsToldApartFromTheContent() {
    JsonNode message = choice(api.post(CHAT, chat(CALLS, "tools", TOOLS))).path("message");

    assertThat(message.path("content").stringValue()).isEqualTo("Let me see.");
    JsonNode call = message.path("tool_calls").path(0);
    assertThat(call.path("function").path("name").stringValue()).isEqualTo("weather");
    assertThat(call.path("function").path("arguments").stringValue()).isEqualTo(ARGUMENTS);
    assertThat(call.path("id").stringValue()).startsWith("call_");
  }

  @Test
  void aCallOfAToolIsStreamed() {
    Answer streamed = api.post(CHAT, chat(CALLS, "tools", TOOLS, "stream", true));
    List<JsonNode> calls = streamed.events().stream().map(e -> e.path("choices").path(0).path("delta").path("tool_calls"))
        .filter(JsonNode::isArray).toList();

    assertThat(content(streamed)).isEqualTo("Let me see.");
    assertThat(calls).hasSize(1);
    assertThat(calls.get(0).path(0).path("function").path("arguments").stringValue()).isEqualTo(ARGUMENTS);
    List<JsonNode> events = streamed.events();
    assertThat(events.get(events.size() - 1).path("choices").path(0).path("finish_reason").stringValue()).isEqualTo("tool_calls");
  }

  @Test
  void whereNoToolMayBeCalledACallIsContent() {
    for (Object[] forbids : List.of(new Object[] {"tools", TOOLS, "tool_choice", "none"}, new Object[0])) {
      JsonNode whole = choice(api.post(CHAT, chat(CALLS, forbids)));
      Object[] streamed = Arrays.copyOf(forbids, forbids.length + 2);
      streamed[forbids.length] = "stream";
      streamed[forbids.length + 1] = true;

      assertThat(whole.path("message").path("content").stringValue()).isEqualTo(CALLS);
      assertThat(whole.path("message").has("tool_calls")).isFalse();
      assertThat(whole.path("finish_reason").stringValue()).isEqualTo("stop");
      assertThat(content(api.post(CHAT, chat(CALLS, streamed)))).isEqualTo(CALLS);
    }
  }

  @Test
  void theAnswerOfAToolGoesBackIntoTheChat() {
    List<Object> messages = List.of(Map.of("role", "user", "content", ServedTiny.QUESTION),
        Map.of("role", "assistant", "tool_calls", List.of(Map.of("id", "call_1", "type", "function",
            "function", Map.of("name", "weather", "arguments", ARGUMENTS)))),
        Map.of("role", "tool", "tool_call_id", "call_1", "content", "21 degrees"));
    Answer answer = api.post(CHAT, chat("x", "tools", TOOLS, "messages", messages));

    assertThat(choice(answer).path("message").path("role").stringValue()).isEqualTo("assistant");
    assertThat(answer.json().path("usage").path("prompt_tokens").intValue())
        .isGreaterThan(model.tokenizer().encode(ARGUMENTS + "21 degrees").length);
  }

  @Test
  void toolsThatMayNotBeCalledAreNotShown() {
    Map<String, Object> request = chat("x", "max_tokens", 1);
    int without = api.post(CHAT, request).json().path("usage").path("prompt_tokens").intValue();
    request.put("tools", TOOLS);
    int with = api.post(CHAT, request).json().path("usage").path("prompt_tokens").intValue();
    request.put("tool_choice", "none");

    assertThat(with).isGreaterThan(without);
    assertThat(api.post(CHAT, request).json().path("usage").path("prompt_tokens").intValue()).isEqualTo(without);
  }
}
