package dev.fettle.internal.model;

import dev.fettle.internal.checkpoint.JsonFields;
import dev.fettle.internal.checkpoint.Pooling;
import dev.fettle.internal.checkpoint.VectorModule.Dense.Activation;
import dev.fettle.internal.model.LayerConfig.Linear;
import dev.fettle.internal.model.LayerConfig.Norm;
import dev.fettle.internal.model.LayerConfig.Part;
import java.util.List;

/** DistilBERT (Sanh et al. 2019): BERT without segments, under names of its own. */
final class DistilBert extends Encoder {
  private static final double EPS = 1e-12;

  DistilBert() {
    super("distilbert", "DistilBertModel", "distilbert.", List.of("vocab_", "pre_classifier.", "classifier.", "qa_outputs.",
        "embeddings.position_ids"));
  }

  @Override
  ScoreHead scoreHead(JsonFields config, int hidden, int labels) {
    return ScoreHead.of(Pooling.Mode.CLS, Activation.RELU, labels, hidden, "pre_classifier", "classifier");
  }

  @Override
  public ModelConfig read(JsonFields config) {
    // transformers takes BERT's names for the first three too.
    List<String> keys = List.of(name(config, "dim", "hidden_size"), name(config, "n_heads", "num_attention_heads"),
        name(config, "n_layers", "num_hidden_layers"), "hidden_dim");
    EncoderFields e = new EncoderFields(this, config, keys, 768, 12, 6, 4 * 768, 30522);
    List<OuterWeight> embeddings = e.embeddings(e.positions(0));
    embeddings.addAll(e.embeddingNorm());
    return e.model("transformer.layer.", parts(e.hidden, e.intermediate), e.numbers(e.activation("activation"), EPS),
        embeddings, e.positions(0));
  }

  private static String name(JsonFields config, String own, String other) {
    return !config.has(own) && config.has(other) ? other : own;
  }

  private static List<Part> parts(int hidden, int intermediate) {
    return List.of(
        new Linear(Product.QKV, "attention.q_lin", hidden, hidden, true),
        new Linear(Product.QKV, "attention.k_lin", hidden, hidden, true),
        new Linear(Product.QKV, "attention.v_lin", hidden, hidden, true),
        new Linear(Product.O, "attention.out_lin", hidden, hidden, true),
        new Norm(LayerVector.ATTENTION_SUM_NORM, "sa_layer_norm", hidden, true),
        new Linear(Product.GATE_UP, "ffn.lin1", hidden, intermediate, true),
        new Linear(Product.DOWN, "ffn.lin2", intermediate, hidden, true),
        new Norm(LayerVector.MLP_SUM_NORM, "output_layer_norm", hidden, true));
  }
}
