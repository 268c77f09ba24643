package dev.fettle.internal.checkpoint;

import dev.fettle.UnsupportedModelException;
import dev.fettle.internal.json.ArrayNode;
import dev.fettle.internal.json.ObjectNode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * How the rows of a text become its vector.
 *
 * @param modes what is made of the rows; the results of several stand side by side
 * @param withPrompt whether the rows of a prompt before the text count as rows of the text
 */
public record Pooling(List<Mode> modes, boolean withPrompt) {
  /** The mean. */
  public static final Pooling MEAN = new Pooling(List.of(Mode.MEAN), true);

  /** What can be made of rows ({@code Pool.CLS} in the kernels' source), in the order in which older files have several. */
  public enum Mode {
    /** The row of the first token. */
    CLS("cls", "cls_token"),
    /** The largest of each column. */
    MAX("max", "max_tokens"),
    MEAN("mean", "mean_tokens"),
    /** The sum divided by the root of the number of rows. */
    MEAN_SQRT_LEN("mean_sqrt_len_tokens", "mean_sqrt_len_tokens"),
    /** The mean in which a row weighs as much as its place: 1, 2, 3 and so on. */
    WEIGHTED_MEAN("weightedmean", "weightedmean_tokens"),
    /** The row of the last token. */
    LAST("lasttoken", "lasttoken");

    private static final String OLD = "pooling_mode_";
    private final String name;
    private final String oldKey;

    Mode(String name, String oldKey) {
      this.name = name;
      this.oldKey = OLD + oldKey;
    }
  }

  public Pooling {
    modes = List.copyOf(modes);
  }

  /** The modes as kernels take them. */
  public long[] codes() {
    return modes.stream().mapToLong(Mode::ordinal).toArray();
  }

  /** Reads the settings of a pooling in either way in which sentence-transformers has written them. */
  static Pooling read(JsonFields fields) {
    return new Pooling(fields.has("pooling_mode") ? named(fields) : flagged(fields), fields.bool("include_prompt", true));
  }

  private static List<Mode> named(JsonFields fields) {
    List<String> names = fields.node("pooling_mode").isString() ? List.of(fields.node("pooling_mode").asString())
        : fields.strings("pooling_mode");
    List<Mode> modes = new ArrayList<>();
    for (String name : names) {
      modes.add(Arrays.stream(Mode.values()).filter(m -> m.name.equals(name)).findFirst()
          .orElseThrow(() -> fields.unsupported("pooling_mode", "the modes are "
              + String.join(", ", Arrays.stream(Mode.values()).map(m -> m.name).toList()))));
    }
    if (modes.isEmpty()) {
      throw fields.invalid("pooling_mode", "must name at least one mode");
    }
    return modes;
  }

  private static List<Mode> flagged(JsonFields fields) {
    for (String key : fields.keys()) {
      if (key.startsWith(Mode.OLD) && Arrays.stream(Mode.values()).noneMatch(m -> m.oldKey.equals(key))
          && fields.bool(key, false)) {
        throw new UnsupportedModelException(fields.source() + ": " + key + " is not supported: the keys are "
            + String.join(", ", Arrays.stream(Mode.values()).map(m -> m.oldKey).toList()));
      }
    }
    List<Mode> modes = Arrays.stream(Mode.values()).filter(m -> fields.bool(m.oldKey, false)).toList();
    return modes.isEmpty() ? MEAN.modes : modes;
  }

  /** The settings in the way that all versions read, or where that cannot say it in the newer one. */
  ObjectNode toJson(int width) {
    ObjectNode out = new ObjectNode().put("word_embedding_dimension", width);
    if (modes.equals(modes.stream().distinct().sorted().toList())) {
      Arrays.stream(Mode.values()).forEach(m -> out.put(m.oldKey, modes.contains(m)));
    } else {
      ArrayNode names = out.putArray("pooling_mode");
      modes.forEach(m -> names.add(m.name));
    }
    return out.put("include_prompt", withPrompt);
  }
}
