package dev.fettle.internal.openai;

import dev.fettle.internal.text.AnswerStream;
import java.io.IOException;
import java.util.ArrayList;
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
      new Chat(request, samples, out).run();
    }
  }

  /** One request. */
  private static final class Chat extends Answering {
    private final List<ChatChoice> choices = new ArrayList<>();
    private boolean begun;

    Chat(ChatRequest request, Samples samples, Outgoing out) {
      super(samples, out, request.stream(), request.usage(), request.model(), "chatcmpl-", request.prompt().length);
      TokenTexts texts = new TokenTexts(request.renderer().tokenizer());
      for (int i = 0; i < samples.count(); i++) {
        choices.add(new ChatChoice(i, request, texts));
      }
    }

    @Override
    String object(boolean event) {
      return event ? "chat.completion.chunk" : "chat.completion";
    }

    @Override
    List<?> choices() {
      return choices.stream().map(ChatChoice::whole).toList();
    }

    @Override
    public void read(Samples.Event event) throws IOException {
      ChatChoice choice = choices.get(event.index());
      if (streams() && !begun) {
        begun = true;
        for (ChatChoice each : choices) {
          send(each.delta(Map.of("role", "assistant", "content", "")));
        }
      }
      boolean last = event.reason() != null;
      List<Map<String, Object>> deltas = last ? choice.end(event.reason()) : choice.take(event.token());
      if (!last) {
        count(choice.thinking());
      }
      if (streams()) {
        for (Map<String, Object> delta : deltas) {
          send(choice.delta(delta));
        }
        if (last) {
          send(choice.last());
        }
      }
    }
  }
}
