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
import dev.fettle.Sampler;
import dev.fettle.SamplingParams;
import dev.fettle.Training;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The built-in model served with two adapters, neither of which answers as the other or as the base does. */
final class ServedTiny implements AutoCloseable {
  static final String QUESTION = "How warm is it?";

  private final Fettle fettle = Fettle.local();
  final BaseModel model = fettle.load("fettle-tiny", DType.F32);
  final FettleServer server;
  final Api api;
  private final Map<String, String> answers = new LinkedHashMap<>();

  ServedTiny(Path directory) {
    learn(directory.resolve("one"), "The order is cancelled.");
    learn(directory.resolve("two"), "We sent it on Monday.");
    answers.put("tiny", answer(model.sampler()));
    server = FettleServer.serve(fettle, model).name("tiny").adapter("one", directory.resolve("one"))
        .adapter("two", directory.resolve("two")).start();
    api = new Api(server.uri());
  }

  private void learn(Path directory, String answer) {
    Conversation chat = Conversation.of(Message.user(QUESTION), Message.assistant(answer));
    try (Training training = model.tune(Lora.rank(8).seed(1))) {
      for (int i = 0; i < 6; i++) {
        training.step(Batch.of(model.renderer().render(chat).get(0).datum()), Loss.crossEntropy(), AdamW.learningRate(5e-3));
      }
      training.saveAdapter(directory);
      answers.put(directory.getFileName().toString(), answer(training.sampler()));
    }
  }

  private static String answer(Sampler sampler) {
    return sampler.chat(Conversation.of(Message.user(QUESTION)), SamplingParams.greedy().maxTokens(20)).content();
  }

  /** What each of the models answers to the question, by its name. */
  Map<String, String> answers() {
    return answers;
  }

  /** A chat of one message with the likeliest tokens, and what else is said of it. */
  static Map<String, Object> chat(String model, Object... more) {
    Map<String, Object> out = new LinkedHashMap<>(Map.of("model", model, "temperature", 0, "max_tokens", 20,
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
