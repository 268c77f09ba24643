package dev.fettle.internal.model;

import dev.fettle.internal.checkpoint.JsonFields;
import dev.fettle.internal.checkpoint.Pooling;
import dev.fettle.internal.checkpoint.VectorModule.Dense.Activation;
import dev.fettle.internal.model.OuterWeight.Place;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What a classifier makes of the rows of a text: pooled, through a linear layer with an activation and perhaps a norm, and a
 * last linear layer, whose outputs are the logits of the labels.
 *
 * @param pooled which rows are read
 * @param activation after the first linear layer; without one there is none
 * @param labels one, whose logit is the score, or two: no and yes
 */
public record ScoreHead(Pooling.Mode pooled, Optional<Activation> activation, int labels, List<OuterWeight> weights) {
  /** Only the last linear layer, without a bias. */
  static ScoreHead plain(Pooling.Mode pooled, int labels, int hidden, String name) {
    return new ScoreHead(pooled, Optional.empty(), labels, List.of(new OuterWeight(Place.LABELS, name + ".weight", labels, hidden)));
  }

  /** Two linear layers. */
  static ScoreHead of(Pooling.Mode pooled, Activation activation, int labels, int hidden, String dense, String last) {
    return new ScoreHead(pooled, Optional.of(activation), labels, List.of(
        new OuterWeight(Place.LABEL_DENSE, dense + ".weight", hidden, hidden),
        OuterWeight.vector(Place.LABEL_DENSE_BIAS, dense + ".bias", hidden),
        new OuterWeight(Place.LABELS, last + ".weight", labels, hidden),
        OuterWeight.vector(Place.LABELS_BIAS, last + ".bias", labels)));
  }

  /** The same with a norm after the activation, and the first bias only where it is asked for. */
  ScoreHead normed(int hidden, String norm, boolean denseBias, boolean normBias) {
    List<OuterWeight> all = new ArrayList<>(weights);
    all.removeIf(w -> w.place() == Place.LABEL_DENSE_BIAS && !denseBias);
    all.add(OuterWeight.vector(Place.LABEL_NORM, norm + ".weight", hidden));
    if (normBias) {
      all.add(OuterWeight.vector(Place.LABEL_NORM_BIAS, norm + ".bias", hidden));
    }
    return new ScoreHead(pooled, activation, labels, all);
  }

  /** How many labels a config.json gives its classifier; two where it does not say. */
  static int labels(JsonFields config) {
    String key = config.has("id2label") ? "id2label" : "num_labels";
    int count = config.object("id2label").map(labels -> labels.keys().size())
        .orElseGet(() -> config.integer("num_labels", 1, 1 << 20, 2));
    if (count != 1 && count != 2) {
      throw config.unsupported(key, "a text is scored by one label, or by two, no and yes");
    }
    return count;
  }
}
