package dev.fettle.langchain4j;

import dev.fettle.AdamW;
import dev.fettle.Batch;
import dev.fettle.Conversation;
import dev.fettle.Datum;
import dev.fettle.Fettle;
import dev.fettle.Full;
import dev.fettle.Loss;
import dev.fettle.Sampler;
import dev.fettle.Schedule;
import dev.fettle.Training;
import dev.langchain4j.agent.tool.ToolExecutionRequest;
import dev.langchain4j.agent.tool.ToolSpecification;
import dev.langchain4j.data.message.AiMessage;
import dev.langchain4j.data.message.ChatMessage;
import dev.langchain4j.data.message.SystemMessage;
import dev.langchain4j.data.message.ToolExecutionResultMessage;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.model.chat.request.json.JsonObjectSchema;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The built-in model with a chat template that has tools, taught what LangChain4j's contracts ask: no large model is needed to
 * see whether requests arrive whole and answers come back whole. One for all tests of this JVM.
 */
final class TaughtModel {
  static final ToolSpecification WEATHER = tool("getWeather", "city");
  private static final ToolSpecification TIME = tool("getTime", "country");
  private static final ToolSpecification NOW = ToolSpecification.builder().name("get_current_time").build();
  private static final ToolSpecification ADD = ToolSpecification.builder().name("add")
      .parameters(JsonObjectSchema.builder().addIntegerProperty("a").addIntegerProperty("b").build()).build();
  private static final String TEMPLATE = """
      {% if tools %}<|im_start|>system
      {% for tool in tools %}{{ tool.function.name }}{% for name in tool.function.parameters.properties %} {{ name }}{% endfor %}
      {% endfor %}<|im_end|>
      {% endif %}{% for message in messages %}<|im_start|>{{ message.role }}
      {% if message.reasoning_content %}<think>
      {{ message.reasoning_content }}
      </think>

      {% endif %}{{ message.content }}{% for call in message.tool_calls %}<tool_call>
      {"name": "{{ call.function.name }}", "arguments": {{ call.function.arguments | tojson }}}
      </tool_call>{% endfor %}<|im_end|>
      {% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
      {% endif %}""";

  private static final int STEPS = 24;

  private static TaughtModel only;

  private final Training training;
  private final Sampler sampler;

  private TaughtModel() throws IOException {
    Fettle fettle = Fettle.local();
    training = fettle.load(files()).tune(Full.all());
    List<Datum> data = new ArrayList<>();
    for (Conversation lesson : lessons()) {
      training.renderer().render(lesson).forEach(rendered -> data.add(rendered.datum()));
    }
    Schedule rate = Schedule.cosine(4e-3, STEPS).warmup(2);
    for (int i = 0; i < STEPS; i++) {
      training.step(Batch.of(data), Loss.crossEntropy(), AdamW.learningRate(rate.at(i)));
    }
    sampler = training.sampler();
  }

  static synchronized TaughtModel get() {
    if (only == null) {
      try {
        only = new TaughtModel();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
    return only;
  }

  Sampler sampler() {
    return sampler;
  }

  /** One of its own, to be closed. */
  Sampler another() {
    return training.sampler();
  }

  private static Path files() throws IOException {
    Path directory = Files.createTempDirectory("fettle-taught-");
    for (String name : List.of("config.json", "generation_config.json", "model.safetensors", "tokenizer.json",
        "tokenizer_config.json")) {
      try (InputStream in = Fettle.class.getResourceAsStream("fettle-tiny/" + name)) {
        Files.copy(in, directory.resolve(name));
      }
      directory.resolve(name).toFile().deleteOnExit();
    }
    directory.toFile().deleteOnExit();
    // A file of its own wins over the one in tokenizer_config.json.
    Path template = directory.resolve("chat_template.jinja");
    Files.writeString(template, TEMPLATE);
    template.toFile().deleteOnExit();
    return directory;
  }

  private static ToolSpecification tool(String name, String parameter) {
    return ToolSpecification.builder().name(name)
        .parameters(JsonObjectSchema.builder().addStringProperty(parameter).build()).build();
  }

  private static List<Conversation> lessons() {
    List<Conversation> all = new ArrayList<>();
    String capital = "What is the capital of Germany?";
    teach(all, List.of(), user(capital), say("The capital of Germany is Berlin."));
    teach(all, List.of(), user(capital + " How much is 2 + 2?"), say("The capital of Germany is Berlin. 2 + 2 is 4."));
    teach(all, List.of(), SystemMessage.from("Translate messages from user into German"), user("Translate: 'I love you'"),
        say("Ich liebe dich."));
    teach(all, List.of(), user("Hi, my favorite color is green"), say("Hi, nice to meet you"),
        user("What is my favorite color?"), say("Your favorite color is green."));
    teach(all, List.of(), user("Say 'Hello World'"), say("Hello World"));
    teach(all, List.of(), user("Tell me a long story about animals"),
        say("Once a fox, a hare and an owl lived in one wood. They did not talk. Then came the snow."));
    teach(all, List.of(ADD), user("hello"), say("Hello! How can I help you today?"));
    teach(all, List.of(WEATHER), user("Think, then answer."), AiMessage.builder().thinking("It is late.").text("Good night.").build());
    teachTools(all, List.of(WEATHER), user("What is the weather in Munich?"), "It is sunny in Munich.",
        List.of(call("getWeather", "{\"city\": \"Munich\"}")), List.of("sunny"));
    teachTools(all, List.of(NOW), user("What is the time now? Use the get_current_time tool."), "It is 10:14.",
        List.of(call("get_current_time", "{}")), List.of("10:14"));
    teachTools(all, List.of(WEATHER, TIME),
        user("What is the weather in Munich and time in France? Call tools simultaneously (in parallel)"),
        "It is sunny in Munich and 14:35 in France.",
        List.of(call("getWeather", "{\"city\": \"Munich\"}"), call("getTime", "{\"country\": \"France\"}")),
        List.of("sunny", "14:35"));
    return all;
  }

  private static void teachTools(List<Conversation> all, List<ToolSpecification> tools, UserMessage question, String answer,
      List<ToolExecutionRequest> calls, List<String> results) {
    AiMessage calling = AiMessage.from(calls);
    teach(all, tools, question, calling);
    List<ChatMessage> messages = new ArrayList<>(List.of(question, calling));
    for (int i = 0; i < calls.size(); i++) {
      messages.add(ToolExecutionResultMessage.from(calls.get(i), results.get(i)));
    }
    messages.add(say(answer));
    teach(all, tools, messages.toArray(ChatMessage[]::new));
  }

  private static void teach(List<Conversation> all, List<ToolSpecification> tools, ChatMessage... messages) {
    all.add(ChatMessages.conversation(List.of(messages), tools, true));
  }

  private static UserMessage user(String text) {
    return UserMessage.from(text);
  }

  private static AiMessage say(String text) {
    return AiMessage.from(text);
  }

  private static ToolExecutionRequest call(String name, String arguments) {
    return ToolExecutionRequest.builder().id("abcdefghi").name(name).arguments(arguments).build();
  }
}
