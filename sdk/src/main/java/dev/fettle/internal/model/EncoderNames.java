package dev.fettle.internal.model;

import dev.fettle.UnsupportedModelException;
import dev.fettle.internal.checkpoint.ModelDirectory;
import dev.fettle.internal.checkpoint.StoredTensor;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * The weights of an encoder by the names that checkpoints have for them: with or without {@code bert.} before them, and
 * with {@code gamma} and {@code beta} for the norms, as the first BERT files have it.
 */
final class EncoderNames {
  private static final String PREFIX = "bert.";
  /** What no embedding needs: the pooler, the heads of pre-training, and buffers that config.json gives. */
  private static final List<String> EXTRAS = List.of("pooler.", "cls.", "embeddings.position_ids");

  private EncoderNames() {}

  /** The stored tensor of a weight; null if there is none. */
  static StoredTensor stored(ModelDirectory directory, String name) {
    String old = name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta");
    for (String candidate : List.of(name, PREFIX + name, old, PREFIX + old)) {
      StoredTensor found = directory.tensors().get(candidate);
      if (found != null) {
        return found;
      }
    }
    return null;
  }

  /** As {@link WeightNames#check}; the pooler, the heads of pre-training and position ids are passed over. */
  static void check(ModelDirectory directory) {
    Set<String> known = new HashSet<>();
    WeightNames.expected(directory.config()).forEach((name, shape) -> {
      WeightNames.checkOne(directory, name, shape);
      known.add(stored(directory, name).name());
    });
    for (StoredTensor tensor : directory.tensors().values()) {
      String bare = tensor.name().startsWith(PREFIX) ? tensor.name().substring(PREFIX.length()) : tensor.name();
      if (!known.contains(tensor.name()) && EXTRAS.stream().noneMatch(bare::startsWith)) {
        throw new UnsupportedModelException(tensor.file() + ": tensor " + tensor.name()
            + " is not a weight of a bert encoder with this config.json");
      }
    }
  }
}
