package dev.fettle.internal.wire;

import dev.fettle.internal.json.JsonNode;
import java.util.LinkedHashMap;
import java.util.Map;

/** Tensors as JSON. A float that is not finite is written as null and read as NaN. */
final class TensorJson {
  private TensorJson() {}

  static Object write(TensorData tensor) {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("data", tensor.floats() == null ? tensor.ints() : written(tensor.floats()));
    json.put("dtype", tensor.dtype());
    if (tensor.shape() != null) {
      json.put("shape", tensor.shape());
    }
    if (tensor.sparse() != null) {
      json.put("sparse_crow_indices", tensor.sparse().rows());
      json.put("sparse_col_indices", tensor.sparse().columns());
    }
    return json;
  }

  private static Float[] written(float[] values) {
    Float[] out = new Float[values.length];
    for (int i = 0; i < out.length; i++) {
      out[i] = Float.isFinite(values[i]) ? values[i] : null;
    }
    return out;
  }

  static TensorData read(JsonNode node) {
    JsonNode data = node.get("data");
    if (data == null || !data.isArray()) {
      throw new WireException("a tensor has no data");
    }
    boolean whole = node.path("dtype").asString("").startsWith("int");
    long[] shape = longs(node.get("shape"));
    TensorData values = whole ? new TensorData(shape, null, longs(data)) : new TensorData(shape, floats(data), null);
    long[] rows = longs(node.get("sparse_crow_indices"));
    return rows == null ? values : TensorData.sparse(values, rows, longs(node.get("sparse_col_indices")), shape);
  }

  private static float[] floats(JsonNode array) {
    float[] out = new float[array.size()];
    for (int i = 0; i < out.length; i++) {
      JsonNode value = array.get(i);
      if (!value.isNumber() && !value.isNull() && !value.isString()) {
        throw new WireException("value " + i + " of a tensor is " + value + ", not a number");
      }
      out[i] = value.isNumber() ? (float) value.asDouble() : Float.NaN;
    }
    return out;
  }

  private static long[] longs(JsonNode array) {
    if (array == null || array.isNull()) {
      return null;
    } else if (!array.isArray()) {
      throw new WireException("a tensor's data, shape or indices are no list");
    }
    long[] out = new long[array.size()];
    for (int i = 0; i < out.length; i++) {
      JsonNode value = array.get(i);
      if (!value.isNumber() || value.asDouble() != Math.rint(value.asDouble())) {
        throw new WireException("value " + i + " of a tensor is " + value + ", not a whole number");
      }
      out[i] = value.isIntegralNumber() ? value.asLong() : (long) value.asDouble();
    }
    return out;
  }
}
