package dev.fettle.internal.model;

/**
 * Where the weights of an encoder live. Each layer has as many tensors as a decoder's, in the same places: what the
 * places of the query and key norms hold are the biases of the two layer norms.
 */
final class EncoderLayout {
  static final int ATTENTION_NORM = Layout.INPUT_NORM;
  static final int ATTENTION_NORM_BIAS = Layout.Q_NORM;
  static final int MLP_NORM_BIAS = Layout.K_NORM;
  static final int EMBEDDING_NORM = Layout.FINAL_NORM;

  private EncoderLayout() {}

  static void fill(Layout layout, ModelConfig c) {
    long h = c.hiddenSize();
    long f = c.intermediateSize();
    layout.add(-1, Layout.EMBEDDING, h, "embeddings.word_embeddings.weight", c.vocabSize());
    layout.add(-1, Layout.POSITIONS, h, "embeddings.position_embeddings.weight", c.contextLength());
    layout.add(-1, Layout.SEGMENTS, h, "embeddings.token_type_embeddings.weight", c.segments());
    layout.add(-1, EMBEDDING_NORM, 0, "embeddings.LayerNorm.weight", h);
    layout.add(-1, Layout.EMBEDDING_NORM_BIAS, 0, "embeddings.LayerNorm.bias", h);
    for (int i = 0; i < c.layers(); i++) {
      String p = "encoder.layer." + i + ".";
      String self = p + "attention.self.";
      String out = p + "attention.output.";
      layout.add(i, Layout.QKV, h, self + "query.weight", h, self + "key.weight", h, self + "value.weight", h);
      layout.add(i, Layout.QKV_BIAS, 0, self + "query.bias", h, self + "key.bias", h, self + "value.bias", h);
      layout.add(i, Layout.O, h, out + "dense.weight", h);
      layout.add(i, Layout.O_BIAS, 0, out + "dense.bias", h);
      layout.add(i, ATTENTION_NORM, 0, out + "LayerNorm.weight", h);
      layout.add(i, ATTENTION_NORM_BIAS, 0, out + "LayerNorm.bias", h);
      layout.add(i, Layout.GATE_UP, h, p + "intermediate.dense.weight", f);
      layout.add(i, Layout.GATE_UP_BIAS, 0, p + "intermediate.dense.bias", f);
      layout.add(i, Layout.DOWN, f, p + "output.dense.weight", h);
      layout.add(i, Layout.DOWN_BIAS, 0, p + "output.dense.bias", h);
      layout.add(i, Layout.MLP_NORM, 0, p + "output.LayerNorm.weight", h);
      layout.add(i, MLP_NORM_BIAS, 0, p + "output.LayerNorm.bias", h);
    }
  }
}
