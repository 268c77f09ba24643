package dev.fettle.internal.openai;

import dev.fettle.SamplingParams;
import dev.fettle.Tokenizer;
import dev.fettle.internal.ModelBackend;
import dev.fettle.internal.json.JsonNode;
import java.util.ArrayList;
import java.util.List;

/**
 * Texts that are to be continued.
 *
 * @param top how many of the likeliest tokens are told of each place; -1 where no logprobs are
 * @param echo whether the prompts stand before what continues them
 */
record CompletionRequest(Served model, List<int[]> prompts, List<SamplingParams> params, int top, boolean echo, boolean stream,
    boolean usage) {
  private static final int MOST_LOGPROBS = 20;
  private static final int STANDARD = 16;

  static CompletionRequest of(Fields f, ServedModels models, Bounds bounds) {
    Served model = models.of(f);
    Tokenizer tokenizer = model.sampler().tokenizer();
    SamplingParams params = SamplingFields.params(f, bounds.choices());
    f.refuse("best_of", v -> v.isNumber() && v.doubleValue() == params.samples(), "leave it out; n is supported");
    f.refuse("suffix", v -> v.asString("x").isEmpty(), "leave it out");
    int limit = f.count("max_tokens", STANDARD, 1, Integer.MAX_VALUE);
    int top = f.count("logprobs", -1, 0, MOST_LOGPROBS);
    boolean echo = f.flag("echo", false);
    if (echo && top >= 0) {
      throw ApiError.unsupported("echo", "echo with logprobs is not supported by this server: leave one of them out");
    }
    boolean stream = f.flag("stream", false);
    boolean usage = Streaming.usage(f, stream);
    List<int[]> prompts = prompts(f.required("prompt", "a text, tokens, or a list of them"), tokenizer, model.model());
    f.end();
    if ((long) prompts.size() * params.samples() > bounds.samples()) {
      throw ApiError.invalid("n", prompts.size() + " prompts with n " + params.samples() + " are "
          + (long) prompts.size() * params.samples() + " samples: at most " + bounds.samples() + " are made in one request");
    }
    List<SamplingParams> each = prompts.stream()
        .map(p -> SamplingFields.limited(params, limit, "max_tokens", p.length, model.model().contextLength())).toList();
    return new CompletionRequest(model, prompts, each, top, echo, stream, usage);
  }

  private static List<int[]> prompts(JsonNode node, Tokenizer tokenizer, ModelBackend model) {
    if (node.isString()) {
      return List.of(tokens(tokenizer, Texts.unicode(node.stringValue(), "prompt")));
    }
    List<int[]> out = new ArrayList<>();
    if (node.isArray() && node.path(0).isNumber()) {
      out.add(ids(node, "prompt", model));
    } else {
      for (JsonNode each : node) {
        String place = "prompt[" + out.size() + "]";
        out.add(each.isString() ? tokens(tokenizer, Texts.unicode(each.stringValue(), place)) : ids(each, place, model));
      }
    }
    if (out.isEmpty()) {
      throw ApiError.invalid("prompt", "prompt is " + Fields.excerpt(node) + ": give a text, tokens, or a list of them");
    }
    return out;
  }

  private static int[] ids(JsonNode node, String place, ModelBackend model) {
    if (!node.isArray() || node.isEmpty()) {
      throw ApiError.invalid("prompt", place + " is " + Fields.excerpt(node) + ": give a text or at least one token");
    }
    int[] out = new int[node.size()];
    for (int i = 0; i < out.length; i++) {
      JsonNode id = node.get(i);
      if (!id.isIntegralNumber() || !id.canConvertToInt() || id.intValue() < 0 || id.intValue() >= model.vocabSize()) {
        throw ApiError.invalid("prompt", place + "[" + i + "] is " + Fields.excerpt(id) + ": give token ids, 0 to "
            + (model.vocabSize() - 1));
      }
      out[i] = id.intValue();
    }
    return out;
  }

  /** As {@link dev.fettle.Sampler} reads a text. */
  private static int[] tokens(Tokenizer tokenizer, String text) {
    int[] ids = tokenizer.encode(text);
    if (tokenizer.addsBos() && tokenizer.bos().isPresent()) {
      int[] out = new int[ids.length + 1];
      out[0] = tokenizer.bos().getAsInt();
      System.arraycopy(ids, 0, out, 1, ids.length);
      return out;
    } else if (ids.length == 0) {
      throw ApiError.invalid("prompt", "prompt is an empty text, and this model has no token to begin with: give some text");
    }
    return ids;
  }
}
