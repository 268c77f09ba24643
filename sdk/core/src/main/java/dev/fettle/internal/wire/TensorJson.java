package dev.fettle.internal.wire;

import tools.jackson.core.JsonGenerator;
import tools.jackson.core.JsonParser;
import tools.jackson.databind.DeserializationContext;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.SerializationContext;
import tools.jackson.databind.ValueDeserializer;
import tools.jackson.databind.ValueSerializer;

/** Tensors as JSON. A float that is not finite is written as null and read as NaN. */
final class TensorJson {
  private TensorJson() {}

  static final class Writer extends ValueSerializer<TensorData> {
    @Override
    public void serialize(TensorData tensor, JsonGenerator out, SerializationContext context) {
      out.writeStartObject();
      out.writeName("data");
      if (tensor.floats() == null) {
        out.writeArray(tensor.ints(), 0, tensor.ints().length);
      } else {
        out.writeStartArray();
        for (float value : tensor.floats()) {
          if (Float.isFinite(value)) {
            out.writeNumber(value);
          } else {
            out.writeNull();
          }
        }
        out.writeEndArray();
      }
      out.writeStringProperty("dtype", tensor.dtype());
      if (tensor.shape() != null) {
        out.writeName("shape");
        out.writeArray(tensor.shape(), 0, tensor.shape().length);
      }
      if (tensor.sparse() != null) {
        out.writeName("sparse_crow_indices");
        out.writeArray(tensor.sparse().rows(), 0, tensor.sparse().rows().length);
        out.writeName("sparse_col_indices");
        out.writeArray(tensor.sparse().columns(), 0, tensor.sparse().columns().length);
      }
      out.writeEndObject();
    }
  }

  static final class Reader extends ValueDeserializer<TensorData> {
    @Override
    public TensorData deserialize(JsonParser in, DeserializationContext context) {
      JsonNode node = context.readTree(in);
      JsonNode data = node.get("data");
      if (data == null || !data.isArray()) {
        throw new WireException("a tensor has no data");
      }
      JsonNode dtype = node.get("dtype");
      boolean whole = dtype != null && dtype.isString() && dtype.asString().startsWith("int");
      long[] shape = longs(node.get("shape"));
      TensorData values = whole ? new TensorData(shape, null, longs(data)) : new TensorData(shape, floats(data), null);
      long[] rows = longs(node.get("sparse_crow_indices"));
      return rows == null ? values : TensorData.sparse(values, rows, longs(node.get("sparse_col_indices")), shape);
    }
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
