package dev.fettle.internal.openai;

import dev.fettle.AdamW;
import dev.fettle.BaseModel;
import dev.fettle.Batch;
import dev.fettle.Conversation;
import dev.fettle.DType;
import dev.fettle.Fettle;
import dev.fettle.FettleServer;
import dev.fettle.Lora;
import dev.fettle.Loss;
import dev.fettle.Message;
import dev.fettle.Rendered;
import dev.fettle.ToolCall;
import dev.fettle.Training;
import dev.fettle.internal.json.JsonNode;
import dev.fettle.internal.json.JsonPrinter;
import dev.fettle.internal.json.JsonReader;
import dev.fettle.internal.json.ObjectNode;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The built-in model with a template that writes tools, served with adapters that have learnt one answer each by heart. */
final class ServedTiny implements AutoCloseable {
  static final String QUESTION = "How warm is it?";
  static final String TOOL = "{\"type\": \"function\", \"function\": {\"name\": \"weather\", \"parameters\": {\"type\": \"object\"}}}";
  static final String GREETING = "Grüße 👋, naïve!";
  static final String ARGUMENTS = "{\"city\": \"Rome\"}";

  private static final String TEMPLATE = "{% if tools %}{{ '<|im_start|>system\\n' }}{% for tool in tools %}{{ tool | tojson }}{% endfor %}"
      + "{{ '<|im_end|>\\n' }}{% endif %}{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\\n' }}"
      + "{% if m['content'] %}{{ m['content'] }}{% endif %}{% for call in m.tool_calls or [] %}{{ '\\n<tool_call>\\n{\"name\": \"' "
      + "+ call.function.name + '\", \"arguments\": ' }}{{ call.function.arguments | tojson }}{{ '}\\n</tool_call>' }}{% endfor %}"
      + "{{ '<|im_end|>\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";

  private final Fettle fettle = Fettle.local();
  final BaseModel model;
  final FettleServer server;
  final Api api;

  ServedTiny(Path directory) throws IOException {
    for (String file : List.of("config.json", "generation_config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json")) {
      try (InputStream in = Fettle.class.getResourceAsStream("/dev/fettle/fettle-tiny/" + file)) {
        Files.write(directory.resolve(file), in.readAllBytes());
      }
    }
    Path config = directory.resolve("tokenizer_config.json");
    JsonNode read = JsonReader.STANDARD.read(Files.readAllBytes(config));
    Files.write(config, JsonPrinter.utf8(((ObjectNode) read).put("chat_template", TEMPLATE)));
    model = fettle.load(directory.toString(), DType.F32);
    Path caller = learnt(directory.resolve("caller"), new Conversation(List.of(Message.user(QUESTION), Message.assistant("Let me see.")
        .withToolCalls(new ToolCall("", "weather", ARGUMENTS))), List.of(TOOL)));
    Path greeter = learnt(directory.resolve("greeter"), Conversation.of(Message.user(QUESTION), Message.assistant(GREETING)));
    server = FettleServer.serve(fettle, model).name("tiny").adapter("caller", caller).adapter("greeter", greeter).start();
    api = new Api(server.uri());
  }

  private Path learnt(Path directory, Conversation chat) {
    Rendered rendered = model.renderer().render(chat).get(0);
    try (Training training = model.tune(Lora.rank(32))) {
      double loss = 1;
      // The sum over the answer: below log 2, no token is less likely than one half.
      for (int i = 0; i < 200 && loss > 0.6; i++) {
        loss = training.step(Batch.of(rendered.datum()), Loss.crossEntropy(), AdamW.learningRate(4e-3)).loss().loss();
      }
      if (loss > 0.6) {
        throw new IllegalStateException("the answer was not learnt: the loss is " + loss);
      }
      training.saveAdapter(directory);
      return directory;
    }
  }

  /** A chat of one message with the likeliest tokens, and what else is said of it. */
  static Map<String, Object> chat(String model, Object... more) {
    Map<String, Object> out = new LinkedHashMap<>(Map.of("model", model, "temperature", 0, "max_tokens", 100,
        "messages", List.of(Map.of("role", "user", "content", QUESTION))));
    for (int i = 0; i < more.length; i += 2) {
      out.put((String) more[i], more[i + 1]);
    }
    return out;
  }

  @Override
  public void close() {
    server.close();
    fettle.close();
  }
}
