package dev.fettle.internal.remote;

import dev.fettle.ServiceException;
import dev.fettle.internal.checkpoint.AdapterConfig;
import dev.fettle.internal.checkpoint.AtomicFiles;
import dev.fettle.internal.checkpoint.SafetensorsFile;
import dev.fettle.internal.checkpoint.SafetensorsWriter;
import dev.fettle.internal.checkpoint.StoredTensor;
import dev.fettle.internal.checkpoint.StoredType;
import dev.fettle.internal.checkpoint.StrictJson;
import dev.fettle.internal.json.ArrayNode;
import dev.fettle.internal.json.JsonNode;
import dev.fettle.internal.json.ObjectNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** Makes of an unpacked checkpoint the directory that the local side writes: PEFT's layout, f32. */
final class AdapterDirectory {
  private static final String WEIGHTS = "adapter_model.safetensors";
  private static final String PREFIX = "base_model.model.";
  private static final int PIECE = 16 << 20;

  private AdapterDirectory() {}

  /** The directory within an unpacked archive that holds a file. */
  static Path holding(Path unpacked, String file) throws IOException {
    try (Stream<Path> files = Files.walk(unpacked)) {
      return files.filter(f -> f.getFileName().toString().equals(file)).findFirst().map(Path::getParent)
          .orElseThrow(() -> new ServiceException("the downloaded checkpoint holds no " + file, 200));
    }
  }

  static void write(Path unpacked, Path target, String baseModel) throws IOException {
    Path from = holding(unpacked, AdapterConfig.FILE_NAME);
    if (!Files.isRegularFile(from.resolve(WEIGHTS))) {
      throw new ServiceException("the downloaded checkpoint holds no " + WEIGHTS + "; it has " + names(from), 200);
    }
    try (SafetensorsFile weights = SafetensorsFile.open(from.resolve(WEIGHTS))) {
      AdapterConfig read = config(from.resolve(AdapterConfig.FILE_NAME), weights);
      AdapterConfig config = read.with(baseModel, read.extras());
      AtomicFiles.writeDirectory(target, into -> {
        Files.writeString(into.resolve(AdapterConfig.FILE_NAME), config.toJson());
        copy(weights, into.resolve(WEIGHTS));
      });
    }
  }

  /** The settings; some services leave out which modules have an adapter. */
  private static AdapterConfig config(Path file, SafetensorsFile weights) {
    JsonNode settings = StrictJson.read(file);
    JsonNode targets = settings.get("target_modules");
    if (settings instanceof ObjectNode object && (targets == null || targets.isNull() || targets.isArray() && targets.isEmpty())) {
      ArrayNode named = object.putArray("target_modules");
      AdapterModules.of(weights.tensors().keySet()).forEach(named::add);
    }
    return AdapterConfig.parse(StrictJson.write(settings), file.toString());
  }

  /** A whole model, which some services give where all weights are trained. */
  static void copyModel(Path unpacked, Path target) throws IOException {
    Path from = holding(unpacked, "config.json");
    AtomicFiles.writeDirectory(target, into -> {
      try (Stream<Path> files = Files.list(from)) {
        for (Path file : files.filter(Files::isRegularFile).toList()) {
          Files.copy(file, into.resolve(file.getFileName().toString()));
        }
      }
    });
  }

  private static List<String> names(Path directory) throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files.map(f -> f.getFileName().toString()).sorted().toList();
    }
  }

  private static void copy(SafetensorsFile from, Path to) {
    Map<String, StoredTensor> byKey = new LinkedHashMap<>();
    SafetensorsWriter writer = new SafetensorsWriter();
    for (StoredTensor tensor : from.tensors().values()) {
      String key = tensor.name().replace(".default.weight", ".weight");
      key = key.startsWith(PREFIX) ? key : PREFIX + key;
      if (!tensor.type().isWeight()) {
        throw new ServiceException(tensor.name() + " of the downloaded adapter is " + tensor.type()
            + "; an adapter can be F32, F16 or BF16", 200);
      }
      byKey.put(key, tensor);
      writer.add(key, StoredType.F32, tensor.shape());
    }
    writer.write(to, (declared, sink) -> {
      StoredTensor tensor = byKey.get(declared.name());
      for (long at = 0; at < tensor.bytes(); at += PIECE) {
        sink.put(widened(from.bytes(tensor, at, (int) Math.min(PIECE, tensor.bytes() - at)), tensor.type()));
      }
    });
  }

  private static ByteBuffer widened(ByteBuffer piece, StoredType type) {
    if (type == StoredType.F32) {
      return piece;
    }
    ByteBuffer out = ByteBuffer.allocate(piece.remaining() * 2).order(ByteOrder.LITTLE_ENDIAN);
    while (piece.hasRemaining()) {
      short half = piece.getShort();
      out.putFloat(type == StoredType.BF16 ? Float.intBitsToFloat(half << 16) : half(half));
    }
    return out.flip();
  }

  /** The value of a 16-bit IEEE number. */
  private static float half(short bits) {
    int exponent = bits >> 10 & 0x1f;
    int mantissa = bits & 0x3ff;
    float value = exponent == 0 ? mantissa * 0x1p-24f
        : exponent == 0x1f ? (mantissa == 0 ? Float.POSITIVE_INFINITY : Float.NaN)
        : Float.intBitsToFloat(exponent + 112 << 23 | mantissa << 13);
    return bits < 0 ? -value : value;
  }
}
