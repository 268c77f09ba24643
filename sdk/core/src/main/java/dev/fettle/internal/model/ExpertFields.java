package dev.fettle.internal.model;

import dev.fettle.internal.checkpoint.JsonFields;
import dev.fettle.internal.model.LayerNumbers.Experts;

/** What the families with a mixture of experts have in common in their {@code config.json}. */
final class ExpertFields {
  private static final int MAX_EXPERTS = 1 << 16;

  private ExpertFields() {}

  /**
   * How many experts there are, and how they are chosen.
   *
   * @param count of experts, if the file does not say
   */
  static Experts read(JsonFields fields, int count) {
    if (fields.bool("output_router_logits", false)) {
      throw fields.unsupported("output_router_logits", "it adds a load-balancing loss in training, which is not computed; "
          + "set it to false, the logits are the same");
    }
    // transformers takes either name, and writes the one that the family's files have always had.
    String key = fields.has("num_experts") ? "num_experts" : "num_local_experts";
    int experts = fields.integer(key, 1, MAX_EXPERTS, count);
    if (fields.has("num_experts") && fields.integer("num_local_experts", 1, MAX_EXPERTS, experts) != experts) {
      throw fields.invalid("num_local_experts", "must be num_experts " + experts + " where both are given");
    }
    int perToken = fields.integer("num_experts_per_tok", 1, MAX_EXPERTS, 8);
    if (perToken > experts) {
      throw fields.invalid("num_experts_per_tok", "must be at most " + key + " " + experts);
    }
    return new Experts(experts, perToken, fields.bool("norm_topk_prob", false));
  }
}
