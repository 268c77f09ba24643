package dev.fettle.internal.remote;

import dev.fettle.Full;
import dev.fettle.Lora;
import dev.fettle.Modules;
import dev.fettle.ParameterGroup;
import dev.fettle.Trainable;
import dev.fettle.Tuning;
import dev.fettle.UnsupportedModelException;
import dev.fettle.internal.model.LayerConfig;
import dev.fettle.internal.model.Layout;
import dev.fettle.internal.model.ModelConfig;
import dev.fettle.internal.wire.Models;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What the protocol can say of a tuning: a rank and three switches. All else is refused by name, before anything is
 * created.
 */
record WireTuning(Tuning tuning, int rank, long seed, boolean attention, boolean mlp) {
  private static final List<String> ATTENTION = List.of("q_proj", "k_proj", "v_proj", "o_proj");
  private static final List<String> MLP = List.of("gate_proj", "up_proj", "down_proj");
  private static final String PLAIN = "rank, seed and plain adapters only";
  /** Layers to try a selection on where the model's own number is not known. */
  private static final int MANY_LAYERS = 512;

  static WireTuning of(Tuning tuning, Optional<ModelConfig> config) {
    if (tuning instanceof Lora lora) {
      return lora(lora, config);
    }
    if (tuning instanceof Full full) {
      refuseIf(!full.modules().isEmpty() || !full.rate().equals(ParameterGroup.OF_STEP), tuning + "",
          "all weights alike, Full.all()");
      return new WireTuning(tuning, 0, 0, true, true);
    }
    throw refused(tuning + "", "only Lora and Full.all()");
  }

  private static WireTuning lora(Lora lora, Optional<ModelConfig> config) {
    lora.source().ifPresent(directory -> {
      throw refused("Lora.from(" + directory + ")", "no adapter of one's own to begin with; go on with Fettle.resume");
    });
    refuseIf(lora.alpha() != Lora.DEFAULT_ALPHA, "alpha " + lora.alpha(), "alpha 32, always");
    refuseIf(lora.isRankStabilized(), "rankStabilized()", "the scale alpha / rank");
    refuseIf(lora.dropout() != 0, "dropout " + lora.dropout(), "no dropout");
    refuseIf(!lora.rankPattern().isEmpty(), "rankPattern" + lora.rankPattern().keySet(), "one rank for all modules");
    refuseIf(!lora.alphaPattern().isEmpty(), "alphaPattern" + lora.alphaPattern().keySet(), "one alpha for all modules");
    refuseIf(lora.isDora(), "dora()", PLAIN);
    refuseIf(lora.isPissa(), "pissa()", PLAIN);
    refuseIf(lora.hasBias(), "bias()", PLAIN);
    refuseIf(lora.learningRateRatio() != 1, "learningRateRatio " + lora.learningRateRatio(), PLAIN);
    refuseIf(!lora.rate().equals(ParameterGroup.OF_STEP), "a learning rate or weight decay of the adapters' own", PLAIN);
    int layers = config.map(c -> c.layers().size()).orElse(MANY_LAYERS);
    boolean attention = whole(lora, "self_attn.", ATTENTION, layers);
    boolean mlp = whole(lora, "mlp.", MLP, layers);
    boolean experts = lora.modules().stream().anyMatch(m -> m.contains("model.layers.0.mlp.experts.down_proj", layers)
        && !m.contains("model.layers.0.mlp.down_proj", layers));
    refuseIf(!attention && !mlp || experts, "on" + lora.modules(), "adapters on attention, mlp, or both");
    return new WireTuning(lora, lora.rank(), lora.seed(), attention, mlp);
  }

  /** Whether all modules of a kind are chosen, in all layers; to choose some of them is refused. */
  private static boolean whole(Lora lora, String kind, List<String> modules, int layers) {
    int chosen = 0;
    for (int layer = 0; layer < layers; layer++) {
      for (String module : modules) {
        String name = "model.layers." + layer + "." + kind + module;
        for (Modules choice : lora.modules()) {
          if (choice.contains(name, layers)) {
            chosen++;
            break;
          }
        }
      }
    }
    refuseIf(chosen != 0 && chosen != layers * modules.size(), "on" + lora.modules(),
        "all layers, and of each attention, mlp, or both, whole");
    return chosen != 0;
  }

  private static void refuseIf(boolean condition, String what, String instead) {
    if (condition) {
      throw refused(what, instead);
    }
  }

  private static UnsupportedModelException refused(String what, String instead) {
    return new UnsupportedModelException(what + " cannot be asked of a service: the Tinker protocol knows " + instead
        + ". Leave it out, or train on this machine (Fettle.local())");
  }

  Models.LoraConfig config() {
    // Seeds are 31 bits wide on some servers.
    return new Models.LoraConfig(rank, rank == 0 ? null : Long.valueOf(seed & Integer.MAX_VALUE), rank == 0, mlp,
        attention);
  }

  boolean full() {
    return rank == 0;
  }

  /** What is trained, as far as it is known here. */
  Trainable trainable(Optional<ModelConfig> config) {
    String how = full() ? "full" : "LoRA, rank " + rank;
    if (config.isEmpty()) {
      List<Trainable.Row> rows = new ArrayList<>();
      if (full()) {
        rows.add(new Trainable.Row("all weights", 0, how, 0));
      } else {
        (attention ? ATTENTION : List.<String>of()).forEach(m -> rows.add(new Trainable.Row("self_attn." + m, 0, how, 0)));
        (mlp ? MLP : List.<String>of()).forEach(m -> rows.add(new Trainable.Row("mlp." + m, 0, how, 0)));
      }
      return new Trainable(rows, 0, 0);
    }
    long total = Layout.of(config.get()).parameters();
    if (full()) {
      return new Trainable(List.of(new Trainable.Row("all weights", Layout.of(config.get()).weights().size(), how, total)),
          total, total);
    }
    Map<String, long[]> rows = new LinkedHashMap<>();
    for (LayerConfig layer : config.get().layers()) {
      for (LayerConfig.Linear linear : layer.linears()) {
        if (linear.name().startsWith("self_attn.") ? attention : mlp) {
          long[] row = rows.computeIfAbsent(LayerConfig.ofAnyExpert(linear.name()), k -> new long[2]);
          row[0]++;
          row[1] += (long) rank * (linear.inputs() + linear.outputs());
        }
      }
    }
    List<Trainable.Row> table = new ArrayList<>();
    rows.forEach((name, row) -> table.add(new Trainable.Row(name, (int) row[0], how, row[1])));
    return new Trainable(table, table.stream().mapToLong(Trainable.Row::parameters).sum(), total);
  }
}
