package dev.fettle.internal.model;

import dev.fettle.internal.checkpoint.JsonFields;
import dev.fettle.internal.checkpoint.Pooling;
import dev.fettle.internal.checkpoint.VectorModule.Dense.Activation;
import dev.fettle.internal.model.LayerConfig.Linear;
import dev.fettle.internal.model.LayerConfig.Norm;
import dev.fettle.internal.model.LayerConfig.Part;
import dev.fettle.internal.model.OuterWeight.Place;
import java.util.List;

/** MPNet (Song et al. 2020): BERT without segments, with a bias of attention by distance that all layers share. */
final class MpNet extends Encoder {
  /** The row of padding in the table of positions, whatever pad_token_id says. */
  private static final int PADDING = 1;
  /** Kinds of distances, whatever the table of biases has. */
  private static final int BUCKETS = 32;

  MpNet() {
    super("mpnet", "MPNetModel", "mpnet.", List.of("pooler.", "lm_head.", "classifier.", "qa_outputs.", "embeddings.position_ids"));
  }

  @Override
  ScoreHead scoreHead(JsonFields config, int hidden, int labels) {
    return ScoreHead.of(Pooling.Mode.CLS, Activation.TANH, labels, hidden, "classifier.dense", "classifier.out_proj");
  }

  @Override
  public ModelConfig read(JsonFields config) {
    EncoderFields e = new EncoderFields(this, config, Bert.KEYS, 768, 12, 12, 3072, 30527).padding(1);
    int positions = e.positions(PADDING + 1);
    int buckets = config.integer("relative_attention_num_buckets", BUCKETS, 1 << 16, BUCKETS);
    List<OuterWeight> embeddings = e.embeddings(positions);
    embeddings.addAll(e.embeddingNorm());
    embeddings.add(new OuterWeight(Place.ATTENTION_BIAS, "encoder.relative_attention_bias.weight", buckets, e.heads));
    LayerNumbers numbers = e.numbers(e.activation("hidden_act"), config.positive("layer_norm_eps", 1e-12));
    return e.model(Bert.LAYERS, parts(e.hidden, e.intermediate), numbers, embeddings, positions - PADDING - 1);
  }

  private static List<Part> parts(int hidden, int intermediate) {
    return List.of(
        new Linear(Product.QKV, "attention.attn.q", hidden, hidden, true),
        new Linear(Product.QKV, "attention.attn.k", hidden, hidden, true),
        new Linear(Product.QKV, "attention.attn.v", hidden, hidden, true),
        new Linear(Product.O, "attention.attn.o", hidden, hidden, true),
        new Norm(LayerVector.ATTENTION_SUM_NORM, "attention.LayerNorm", hidden, true),
        new Linear(Product.GATE_UP, "intermediate.dense", hidden, intermediate, true),
        new Linear(Product.DOWN, "output.dense", intermediate, hidden, true),
        new Norm(LayerVector.MLP_SUM_NORM, "output.LayerNorm", hidden, true));
  }
}
