package dev.fettle.internal.checkpoint;

import dev.fettle.InvalidInputException;
import dev.fettle.UnsupportedModelException;
import dev.fettle.internal.json.JsonNode;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The JSON header of a safetensors file, validated as a whole: known types, sizes that agree with shapes, tensors that
 * cover the data section without gap or overlap.
 */
record SafetensorsHeader(Map<String, StoredTensor> tensors, Map<String, String> metadata) {
  /** The limit of the reference library. */
  static final long MAX_BYTES = 100_000_000;

  static final String METADATA = "__metadata__";

  private static final int MAX_DIMENSIONS = 64;

  static SafetensorsHeader parse(Path file, ByteBuffer json, long dataBytes) {
    String source = file + " (header)";
    JsonNode root = StrictJson.parse(json, source);
    Map<String, String> metadata = Map.of();
    List<StoredTensor> tensors = new ArrayList<>();
    for (Map.Entry<String, JsonNode> entry : root.properties()) {
      if (entry.getKey().equals(METADATA)) {
        metadata = metadata(source, entry.getValue());
      } else {
        tensors.add(tensor(file, entry.getKey(), entry.getValue(), dataBytes));
      }
    }
    tensors.sort(Comparator.comparingLong(StoredTensor::begin).thenComparingLong(StoredTensor::bytes));
    requireContiguous(file, tensors, dataBytes);
    Map<String, StoredTensor> byName = new LinkedHashMap<>();
    tensors.forEach(tensor -> byName.put(tensor.name(), tensor));
    return new SafetensorsHeader(Collections.unmodifiableMap(byName), metadata);
  }

  private static Map<String, String> metadata(String source, JsonNode node) {
    if (!node.isObject()) {
      throw new InvalidInputException(source + ": " + METADATA + " must be an object of strings");
    }
    Map<String, String> result = new LinkedHashMap<>();
    for (Map.Entry<String, JsonNode> entry : node.properties()) {
      if (!entry.getValue().isString()) {
        throw new InvalidInputException(
            source + ": " + METADATA + "." + Quote.line(entry.getKey()) + " must be a string");
      }
      result.put(entry.getKey(), entry.getValue().stringValue());
    }
    return Collections.unmodifiableMap(result);
  }

  private static StoredTensor tensor(Path file, String name, JsonNode node, long dataBytes) {
    String where = file + ": tensor " + Quote.line(name) + ": ";
    if (!node.isObject()) {
      throw new InvalidInputException(where + "its header entry must be an object");
    }
    JsonNode dtype = node.get("dtype");
    if (dtype == null || !dtype.isString()) {
      throw new InvalidInputException(where + "dtype is missing or not a string");
    }
    StoredType type =
        StoredType.ofHeader(dtype.stringValue())
            .orElseThrow(() -> new UnsupportedModelException(where + "unknown dtype " + Quote.line(dtype.toString())));
    long[] shape = longs(where, "shape", node.get("shape"));
    long[] offsets = longs(where, "data_offsets", node.get("data_offsets"));
    if (offsets.length != 2 || offsets[0] > offsets[1] || offsets[1] > dataBytes) {
      throw new InvalidInputException(
          where + "data_offsets must be [begin, end] with begin <= end <= " + dataBytes + ", the bytes of data, not "
              + Quote.line(String.valueOf(node.get("data_offsets"))));
    }
    long bytes = offsets[1] - offsets[0];
    long expected = byteSize(where, shape, type);
    if (bytes != expected) {
      throw new InvalidInputException(
          where + "its shape needs " + expected + " bytes, its data_offsets span " + bytes);
    }
    return new StoredTensor(file, name, type, shape, offsets[0], bytes);
  }

  private static long[] longs(String where, String key, JsonNode node) {
    if (node == null || !node.isArray() || node.size() > MAX_DIMENSIONS) {
      throw new InvalidInputException(where + key + " must be a list of at most " + MAX_DIMENSIONS + " numbers");
    }
    long[] result = new long[node.size()];
    for (int i = 0; i < result.length; i++) {
      JsonNode item = node.get(i);
      if (!item.isIntegralNumber() || !item.canConvertToLong() || item.longValue() < 0) {
        throw new InvalidInputException(
            where + key + " must hold whole numbers of at least 0, not " + Quote.line(item.toString()));
      }
      result[i] = item.longValue();
    }
    return result;
  }

  static long byteSize(String where, long[] shape, StoredType type) {
    try {
      long elements = 1;
      for (long dimension : shape) {
        elements = Math.multiplyExact(elements, dimension);
      }
      return Math.multiplyExact(elements, type.size());
    } catch (ArithmeticException e) {
      throw new InvalidInputException(where + "its shape overflows 64 bits", e);
    }
  }

  private static void requireContiguous(Path file, List<StoredTensor> tensors, long dataBytes) {
    long end = 0;
    for (StoredTensor tensor : tensors) {
      if (tensor.begin() != end) {
        throw new InvalidInputException(
            file + ": tensor " + Quote.line(tensor.name()) + (tensor.begin() < end ? ": overlaps" : ": leaves a gap to")
                + " the one before it: begins at " + tensor.begin() + ", expected " + end);
      }
      end = tensor.begin() + tensor.bytes();
    }
    if (end != dataBytes) {
      throw new InvalidInputException(
          file + ": the header describes " + end + " bytes of data, the file has " + dataBytes);
    }
  }
}
