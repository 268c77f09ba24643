package dev.fettle.internal.openai;

import dev.fettle.Sample;
import dev.fettle.internal.SampledToken;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** {@code POST /v1/completions}. */
final class CompletionCall {
  private final ServedModels models;
  private final Bounds bounds;

  CompletionCall(ServedModels models, Bounds bounds) {
    this.models = models;
    this.bounds = bounds;
  }

  void answer(Fields fields, Outgoing out) throws IOException {
    CompletionRequest request = CompletionRequest.of(fields, models, bounds);
    try (Samples samples = new Samples()) {
      for (int i = 0; i < request.prompts().size(); i++) {
        samples.begin(request.model().sampler(), request.prompts().get(i), request.params().get(i), Math.max(0, request.top()), false);
      }
      new Completing(request, samples, out).run();
    }
  }

  /** One text as it comes. */
  private static final class Text {
    private final StringBuilder text = new StringBuilder();
    private final List<SampledToken> tokens = new ArrayList<>();
    private Sample.StopReason reason;
    private int sent;
    private int sentTokens;
    private int offset;
  }

  /** One request. */
  private static final class Completing extends Answering {
    private final CompletionRequest request;
    private final TokenTexts spelling;
    private final List<Text> texts = new ArrayList<>();

    Completing(CompletionRequest request, Samples samples, Outgoing out) {
      super(samples, out, request.stream(), request.usage(), request.model(), "cmpl-",
          request.prompts().stream().mapToInt(p -> p.length).sum());
      this.request = request;
      this.spelling = new TokenTexts(request.model().sampler().tokenizer());
      int each = samples.count() / request.prompts().size();
      for (int i = 0; i < samples.count(); i++) {
        Text text = new Text();
        if (request.echo()) {
          text.text.append(request.model().sampler().tokenizer().decode(request.prompts().get(i / each)));
        }
        texts.add(text);
      }
    }

    @Override
    String object(boolean event) {
      return "text_completion";
    }

    @Override
    List<?> choices() {
      return IntStream.range(0, texts.size()).mapToObj(this::choice).toList();
    }

    @Override
    public void read(Samples.Event event) throws IOException {
      Text text = texts.get(event.index());
      if (event.reason() != null) {
        text.reason = event.reason();
      } else {
        count(false);
        text.text.append(event.token().text());
        if (!event.token().end()) {
          text.tokens.add(event.token());
        }
      }
      if (streams() && (event.reason() != null || text.text.length() > text.sent)) {
        send(choice(event.index()));
      }
    }

    /** What has come of a text since it was last asked for. */
    private Map<String, Object> choice(int index) {
      Text text = texts.get(index);
      Map<String, Object> json = new LinkedHashMap<>();
      json.put("index", index);
      json.put("text", text.text.substring(text.sent));
      json.put("logprobs", request.top() < 0 ? null : logprobs(text));
      json.put("finish_reason", text.reason == null ? null : finish(text.reason));
      text.sent = text.text.length();
      return json;
    }

    private Map<String, Object> logprobs(Text text) {
      List<Object> tokens = new ArrayList<>();
      List<Object> logprobs = new ArrayList<>();
      List<Object> top = new ArrayList<>();
      List<Object> offsets = new ArrayList<>();
      for (; text.sentTokens < text.tokens.size(); text.sentTokens++) {
        SampledToken token = text.tokens.get(text.sentTokens);
        tokens.add(spelling.text(token.id()));
        logprobs.add(TokenTexts.finite(token.logprob()));
        Map<String, Object> likeliest = new LinkedHashMap<>();
        for (int i = 0; i < token.top().length; i++) {
          likeliest.put(spelling.text(token.top()[i]), TokenTexts.finite(token.topLogprobs()[i]));
        }
        top.add(likeliest);
        offsets.add(text.offset);
        text.offset += token.text().length();
      }
      Map<String, Object> json = new LinkedHashMap<>();
      json.put("tokens", tokens);
      json.put("token_logprobs", logprobs);
      json.put("top_logprobs", top);
      json.put("text_offset", offsets);
      return json;
    }
  }
}
