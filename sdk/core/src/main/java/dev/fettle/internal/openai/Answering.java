package dev.fettle.internal.openai;

import dev.fettle.Sample;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** One request for samples: its answer as a whole, or as events while the samples are made. */
abstract class Answering implements Reading.Reader {
  private final Samples samples;
  private final Outgoing out;
  private final boolean stream;
  private final boolean told;
  private final String model;
  private final String id;
  private final long created = System.currentTimeMillis() / 1000;
  private final Usage usage;

  /**
   * Begins.
   *
   * @param told whether the last event of a stream says how many tokens there were
   * @param id what its name begins with
   * @param prompt how many tokens all prompts have
   */
  Answering(Samples samples, Outgoing out, boolean stream, boolean told, Served model, String id, int prompt) {
    this.samples = samples;
    this.out = out;
    this.stream = stream;
    this.told = told;
    this.model = model.name();
    this.id = Ids.of(id);
    this.usage = new Usage(prompt);
  }

  /** What an answer is called, or an event of a stream. */
  abstract String object(boolean event);

  /** All that was answered, when all samples are whole. */
  abstract List<?> choices();

  void run() throws IOException {
    Reading.all(samples, this, stream ? out::comment : out::beat);
    if (!stream) {
      out.document(200, json(choices(), true));
      return;
    }
    if (told) {
      out.event(json(List.of(), true));
    }
    out.done();
  }

  @Override
  public void pause() throws IOException {
    if (stream) {
      out.flush();
    }
  }

  boolean streams() {
    return stream;
  }

  /** Counts a token of an answer. */
  void count(boolean thought) {
    usage.sampled(thought);
  }

  /** Sends a change of one choice. */
  void send(Map<String, Object> choice) throws IOException {
    out.event(json(List.of(choice), false));
  }

  private Map<String, Object> json(List<?> choices, boolean counted) {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("id", id);
    json.put("object", object(stream));
    json.put("created", created);
    json.put("model", model);
    json.put("choices", choices);
    if (counted || told) {
      json.put("usage", counted ? usage.json(samples.cached()) : null);
    }
    return json;
  }

  /** Why a sample ended, in OpenAI's words. */
  static String finish(Sample.StopReason reason) {
    return reason == Sample.StopReason.STOP ? "stop" : "length";
  }
}
