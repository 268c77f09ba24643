package dev.fettle.internal.checkpoint;

import dev.fettle.InvalidInputException;
import java.util.LinkedHashMap;
import java.util.Map;

/** The weight map of a sharded model: which file holds which tensor. */
public final class ShardIndex {
  /** The name of its file. */
  public static final String NAME = "model.safetensors.index.json";

  private ShardIndex() {}

  /** Tensor name to file name, in file order; each file name is a plain name inside the directory. */
  public static Map<String, String> read(JsonFields fields) {
    JsonFields map =
        fields.object("weight_map").orElseThrow(() -> fields.invalid("weight_map", "must map tensors to files"));
    Map<String, String> result = new LinkedHashMap<>();
    for (String tensor : map.keys()) {
      String shard = map.string(tensor).orElseThrow(() -> map.invalid(tensor, "must name a file"));
      if (!shard.matches("[A-Za-z0-9_.-]+") || !shard.endsWith(".safetensors")) {
        throw map.invalid(tensor, "must be the plain name of a .safetensors file beside the index");
      }
      result.put(tensor, shard);
    }
    if (result.isEmpty()) {
      throw new InvalidInputException(fields.source() + ": weight_map is empty");
    }
    return result;
  }
}
