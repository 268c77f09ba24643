package dev.fettle.internal.model;

import dev.fettle.internal.checkpoint.JsonFields;
import dev.fettle.internal.checkpoint.Pooling;
import dev.fettle.internal.checkpoint.VectorModule.Dense.Activation;
import dev.fettle.internal.model.LayerConfig.Linear;
import dev.fettle.internal.model.LayerConfig.Norm;
import dev.fettle.internal.model.LayerConfig.Part;
import dev.fettle.internal.model.OuterWeight.Place;
import java.util.List;

/** BERT (Devlin et al. 2018): an encoder with embedded positions, norms of sums, and biases everywhere. */
final class Bert extends Encoder {
  static final List<String> KEYS = List.of("hidden_size", "num_attention_heads", "num_hidden_layers", "intermediate_size");
  static final String LAYERS = "encoder.layer.";

  Bert() {
    super("bert", "BertModel", "bert.", List.of("pooler.", "cls.", "classifier.", "qa_outputs.", "embeddings.position_ids"));
  }

  @Override
  ScoreHead scoreHead(JsonFields config, int hidden, int labels) {
    return ScoreHead.of(Pooling.Mode.CLS, Activation.TANH, labels, hidden, "bert.pooler.dense", "classifier");
  }

  @Override
  public ModelConfig read(JsonFields config) {
    return read(new EncoderFields(this, config, KEYS, 768, 12, 12, 3072, 30522), 0);
  }

  /** The same network with a table of positions of which the first rows are not used. */
  static ModelConfig read(EncoderFields e, int firstPosition) {
    int positions = e.positions(firstPosition);
    int segments = e.fields.integer("type_vocab_size", 1, 1 << 16, 2);
    double eps = e.fields.positive("layer_norm_eps", 1e-12);
    List<OuterWeight> embeddings = e.embeddings(positions);
    embeddings.add(new OuterWeight(Place.SEGMENTS, "embeddings.token_type_embeddings.weight", segments, e.hidden));
    embeddings.addAll(e.embeddingNorm());
    return e.model(LAYERS, parts(e.hidden, e.intermediate), e.numbers(e.activation("hidden_act"), eps), embeddings,
        positions - firstPosition);
  }

  private static List<Part> parts(int hidden, int intermediate) {
    return List.of(
        new Linear(Product.QKV, "attention.self.query", hidden, hidden, true),
        new Linear(Product.QKV, "attention.self.key", hidden, hidden, true),
        new Linear(Product.QKV, "attention.self.value", hidden, hidden, true),
        new Linear(Product.O, "attention.output.dense", hidden, hidden, true),
        new Norm(LayerVector.ATTENTION_SUM_NORM, "attention.output.LayerNorm", hidden, true),
        new Linear(Product.GATE_UP, "intermediate.dense", hidden, intermediate, true),
        new Linear(Product.DOWN, "output.dense", intermediate, hidden, true),
        new Norm(LayerVector.MLP_SUM_NORM, "output.LayerNorm", hidden, true));
  }
}
