package dev.fettle.internal.checkpoint;

import dev.fettle.UnsupportedModelException;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * What {@code quantization_config} in a config.json says of how weights are stored.
 *
 * @param method by whose scheme
 * @param groupSize inputs that share a scale (GPTQ, AWQ); 0 for all of a row
 * @param zerosAsTheyAre whether GPTQ's zero points are stored without one taken off
 * @param blockRows rows that share a scale with {@code blockColumns} columns (fp8); 0 where the shape of the scales says it
 */
public record QuantisationScheme(Method method, int groupSize, boolean zerosAsTheyAre, int blockRows, int blockColumns) {
  /** The key in config.json. */
  public static final String KEY = "quantization_config";
  /** Numbers as they are. */
  public static final QuantisationScheme NONE = new QuantisationScheme(Method.NONE, 0, false, 0, 0);

  private static final String READ = "; read are bitsandbytes in 4 and 8 bits, fp8 with scales of blocks or rows, GPTQ and AWQ in 4 "
      + "bits";

  /** Whose scheme it is. */
  public enum Method {
    /** Nobody's. */
    NONE,
    /** bitsandbytes, 4 or 8 bits as the tensors say. */
    BITSANDBYTES,
    /** 8-bit floating point. */
    FP8,
    /** GPTQ's packed integers. */
    GPTQ,
    /** AWQ's packed integers. */
    AWQ
  }

  private QuantisationScheme(Method method) {
    this(method, 0, false, 0, 0);
  }

  /**
   * Reads the scheme of a config.json; {@link #NONE} where it has none.
   *
   * @throws UnsupportedModelException for one that is not read, naming it
   */
  public static QuantisationScheme of(JsonFields config) {
    Optional<JsonFields> found = config.object(KEY).filter(f -> !f.keys().isEmpty());
    if (found.isEmpty()) {
      return NONE;
    }
    JsonFields f = found.get();
    String method = f.string("quant_method").orElse(f.bool("load_in_4bit", false) || f.bool("load_in_8bit", false) ? "bitsandbytes"
        : "").toLowerCase(Locale.ROOT);
    return switch (method) {
      case "bitsandbytes" -> new QuantisationScheme(Method.BITSANDBYTES);
      case "fp8" -> {
        List<Integer> block = f.integers("weight_block_size", 1, 1 << 20);
        if (!block.isEmpty() && block.size() != 2) {
          throw f.invalid("weight_block_size", "must be rows and columns");
        }
        yield new QuantisationScheme(Method.FP8, 0, false, block.isEmpty() ? 0 : block.get(0), block.isEmpty() ? 0 : block.get(1));
      }
      case "fbgemm_fp8" -> new QuantisationScheme(Method.FP8);
      case "compressed-tensors" -> {
        String format = f.string("format").orElse("of no format");
        if (!format.equals("float-quantized")) {
          throw unsupported(f, "compressed-tensors " + format);
        }
        yield new QuantisationScheme(Method.FP8);
      }
      case "gptq" -> {
        requireFour(f, "bits", method);
        yield new QuantisationScheme(Method.GPTQ, group(f, "group_size"),
            f.string("checkpoint_format").orElse("gptq").equals("gptq_v2"), 0, 0);
      }
      case "awq" -> {
        requireFour(f, f.has("w_bit") ? "w_bit" : "bits", method);
        String version = f.string("version").orElse("gemm").toLowerCase(Locale.ROOT);
        if (!version.equals("gemm")) {
          throw unsupported(f, "AWQ's version " + version);
        }
        yield new QuantisationScheme(Method.AWQ, group(f, f.has("q_group_size") ? "q_group_size" : "group_size"), true, 0, 0);
      }
      default -> throw unsupported(f, method.isEmpty() ? "a scheme without quant_method" : method);
    };
  }

  private static int group(JsonFields f, String key) {
    int size = f.integer(key, -1, 1 << 20, 128);
    if (size == 0) {
      throw f.invalid(key, "must be -1 or above 0");
    }
    return Math.max(0, size);
  }

  private static void requireFour(JsonFields f, String key, String method) {
    int bits = f.integer(key, 1, 64, 4);
    if (bits != 4) {
      throw unsupported(f, method + " in " + bits + " bits");
    }
  }

  private static UnsupportedModelException unsupported(JsonFields f, String what) {
    return new UnsupportedModelException(f.source() + ": " + KEY + ": weights quantised as " + Quote.line(what) + " are not supported"
        + READ);
  }
}
