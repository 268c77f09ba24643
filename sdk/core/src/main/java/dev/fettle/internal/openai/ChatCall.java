package dev.fettle.internal.openai;

import dev.fettle.internal.text.AnswerStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** {@code POST /v1/chat/completions}. */
final class ChatCall {
  private final ServedModels models;
  private final Bounds bounds;

  ChatCall(ServedModels models, Bounds bounds) {
    this.models = models;
    this.bounds = bounds;
  }

  void answer(Fields fields, Outgoing out) throws IOException {
    ChatRequest request = ChatRequest.of(fields, models, bounds);
    try (Samples samples = new Samples()) {
      samples.begin(request.model().sampler(), request.prompt(), request.params(), Math.max(0, request.top()),
          AnswerStream.readsSpecials(request.renderer()));
      new Answering(request, samples, out).run();
    }
  }

  /** One request. */
  private static final class Answering implements Reading.Reader {
    private final ChatRequest request;
    private final Samples samples;
    private final Outgoing out;
    private final Usage usage;
    private final List<ChatChoice> choices = new ArrayList<>();
    private final String id = Ids.of("chatcmpl-");
    private final long created = System.currentTimeMillis() / 1000;
    private boolean begun;

    Answering(ChatRequest request, Samples samples, Outgoing out) {
      this.request = request;
      this.samples = samples;
      this.out = out;
      this.usage = new Usage(request.prompt().length);
      TokenTexts texts = new TokenTexts(request.renderer().tokenizer());
      for (int i = 0; i < samples.count(); i++) {
        choices.add(new ChatChoice(i, request, texts));
      }
    }

    void run() throws IOException {
      Reading.all(samples, this, request.stream() ? out::comment : out::beat);
      if (!request.stream()) {
        out.document(200, head("chat.completion", choices.stream().map(ChatChoice::whole).toList(), true));
        return;
      }
      if (request.usage()) {
        out.event(head("chat.completion.chunk", List.of(), true));
      }
      out.done();
    }

    @Override
    public void read(Samples.Event event) throws IOException {
      ChatChoice choice = choices.get(event.index());
      if (request.stream() && !begun) {
        begun = true;
        for (ChatChoice each : choices) {
          send(each.delta(Map.of("role", "assistant", "content", "")));
        }
      }
      boolean last = event.reason() != null;
      List<Map<String, Object>> deltas = last ? choice.end(event.reason()) : choice.take(event.token());
      if (!last) {
        usage.sampled(choice.thinking());
      }
      if (request.stream()) {
        for (Map<String, Object> delta : deltas) {
          send(choice.delta(delta));
        }
        if (last) {
          send(choice.last());
        }
      }
    }

    @Override
    public void pause() throws IOException {
      if (request.stream()) {
        out.flush();
      }
    }

    private void send(Map<String, Object> choice) throws IOException {
      out.event(head("chat.completion.chunk", List.of(choice), false));
    }

    private Map<String, Object> head(String object, List<?> contents, boolean counted) {
      Map<String, Object> json = new LinkedHashMap<>();
      json.put("id", id);
      json.put("object", object);
      json.put("created", created);
      json.put("model", request.model().name());
      json.put("choices", contents);
      if (counted || request.usage()) {
        json.put("usage", counted ? usage.json(samples.cached()) : null);
      }
      return json;
    }
  }
}
