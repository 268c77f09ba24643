package dev.fettle.internal.openai;

import dev.fettle.SamplingParams;
import dev.fettle.internal.json.JsonNode;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;

/** How a request wants its tokens chosen: what chats and completions have in common. */
final class SamplingFields {
  static final int MOST_LOGPROBS = 20;
  private static final int MOST_STOPS = 16;

  private SamplingFields() {}

  /**
   * The parameters, without a limit of tokens.
   *
   * @param choices how many samples of one prompt may be asked for
   */
  static SamplingParams params(Fields f, int choices) {
    for (String name : List.of("frequency_penalty", "presence_penalty")) {
      f.refuse(name, v -> v.isNumber() && v.doubleValue() == 0, "leave it out or give 0");
    }
    f.refuse("repetition_penalty", v -> v.isNumber() && v.doubleValue() == 1, "leave it out or give 1");
    f.refuse("min_p", v -> v.isNumber() && v.doubleValue() == 0, "leave it out or give 0; top_p and top_k are supported");
    f.refuse("logit_bias", JsonNode::isEmpty, "leave it out");
    f.refuse("service_tier", v -> List.of("auto", "default").contains(v.asString("")), "there is one tier, \"default\"");
    f.without("user", "safety_identifier", "prompt_cache_key");
    double topP = f.number("top_p", 1, 0, 1);
    int topK = f.count("top_k", 0, -1, Integer.MAX_VALUE);
    return new SamplingParams(1, f.number("temperature", 1, 0, 100), Math.max(0, topK),
        topP == 0 ? Float.MIN_NORMAL : topP, seed(f), stops(f), List.of(), f.count("n", 1, 1, choices),
        f.flag("ignore_eos", false), false);
  }

  private static long seed(Fields f) {
    JsonNode seed = f.value("seed");
    if (seed == null) {
      return ThreadLocalRandom.current().nextLong();
    } else if (!seed.isIntegralNumber() || !seed.canConvertToLong()) {
      throw ApiError.invalid("seed", "seed is " + Fields.excerpt(seed) + ": give a whole number of 64 bits");
    }
    return seed.longValue();
  }

  private static List<String> stops(Fields f) {
    List<String> stops = f.texts("stop", MOST_STOPS);
    if (stops.contains("")) {
      throw ApiError.invalid("stop", "stop has an empty text, which would end every answer at once: leave it out");
    }
    return stops;
  }

  /**
   * With the limit of tokens that a request gives, or all that the context has room for.
   *
   * @param limit what the request gives; null if it does not
   * @param field its name
   */
  static SamplingParams limited(SamplingParams params, Integer limit, String field, int prompt, int context) {
    if (prompt >= context) {
      throw tooLong("the prompt has " + prompt + " tokens, and the model's context is " + context
          + ", with what is to come: shorten the messages");
    } else if (limit != null && limit > context - prompt) {
      throw tooLong("the prompt has " + prompt + " tokens and " + field + " asks for " + limit + " more, but the model's context is "
          + context + ": shorten the prompt, or give at most " + (context - prompt));
    }
    return params.maxTokens(limit == null ? context - prompt : limit);
  }

  private static ApiError tooLong(String message) {
    return ApiError.invalid("messages", "context_length_exceeded", message);
  }
}
