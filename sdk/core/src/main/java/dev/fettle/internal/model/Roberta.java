package dev.fettle.internal.model;

import dev.fettle.internal.checkpoint.JsonFields;
import dev.fettle.internal.checkpoint.Pooling;
import dev.fettle.internal.checkpoint.VectorModule.Dense.Activation;
import java.util.List;

/**
 * RoBERTa (Liu et al. 2019), XLM-RoBERTa and CamemBERT: BERT's network, whose table of positions begins after the row of the
 * padding token.
 */
final class Roberta extends Encoder {
  private final int vocabulary;

  Roberta(String type, String className, int vocabulary) {
    super(type, className, "roberta.", List.of("pooler.", "lm_head.", "classifier.", "qa_outputs.",
        "embeddings.position_ids"));
    this.vocabulary = vocabulary;
  }

  @Override
  ScoreHead scoreHead(JsonFields config, int hidden, int labels) {
    return ScoreHead.of(Pooling.Mode.CLS, Activation.TANH, labels, hidden, "classifier.dense", "classifier.out_proj");
  }

  @Override
  public ModelConfig read(JsonFields config) {
    int padding = config.integer("pad_token_id", 0, DecoderFields.MAX_VOCAB, 1);
    if (config.mentions("pad_token_id") && !config.has("pad_token_id")) {
      throw config.invalid("pad_token_id", "must be a token: positions are counted from it");
    }
    return Bert.read(new EncoderFields(this, config, Bert.KEYS, 768, 12, 12, 3072, vocabulary).padding(1), padding + 1);
  }
}
