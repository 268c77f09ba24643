package dev.fettle.internal.model;

import dev.fettle.internal.checkpoint.JsonFields;
import java.util.Collections;
import java.util.Optional;

/** Phi 3, 3.5, 4 and 4-mini (Abdin et al. 2024): queries, keys and values are one linear layer, gate and up another. */
final class Phi3 implements Architecture {
  private static final DecoderFields.Sizes SIZES = new DecoderFields.Sizes(32064, 3072, 8192, 32, 32);

  @Override
  public String type() {
    return "phi3";
  }

  @Override
  public String className() {
    return "Phi3ForCausalLM";
  }

  @Override
  public ModelConfig read(JsonFields config) {
    DecoderFields d = new DecoderFields(this, config, SIZES).headDim().contextLength(4096).textIds(1, 32_000).padding(32_000).eps(1e-5);
    d.keyValueHeads(d.heads);
    config.refuseUnlessNeutral("resid_pdrop", 0, "dropout of activations");
    int window = config.integer("sliding_window", 1, Integer.MAX_VALUE, 0);
    // The first files call longrope by the names that it had before.
    Rope rope = d.ropes().partial().original(4096).alias("su", "longrope").alias("yarn", "longrope").read();
    LayerParts parts = d.parts();
    return d.model(parts.preNorm(parts.fusedAttention(), parts.fusedMlp("mlp.gate_up_proj", "mlp.down_proj")),
        d.sameWindow(window),
        Collections.nCopies(d.layers, Optional.of(rope)));
  }
}
