package dev.fettle.internal.checkpoint;

import dev.fettle.InvalidInputException;
import dev.fettle.UnsupportedModelException;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The tensors of a file that together are one weight, by the part that each plays. Their types and shapes have been checked.
 *
 * @param kind how they become numbers
 * @param name of the weight, as the file would name it
 * @param shape [outputs, inputs]
 * @param parts by {@link #CODES} and its like
 */
public record QuantisedTensor(Kind kind, String name, long[] shape, Map<String, StoredTensor> parts) {
  /** Kinds of storage. */
  public enum Kind {
    /** Levels of 4 bits in blocks that run through the whole weight. */
    BNB4,
    /** 8-bit integers with a scale for each row. */
    BNB8,
    /** 8-bit floating point with a scale for each block, row, or all. */
    FP8,
    /** Integers of 4 bits along the inputs. */
    GPTQ,
    /** Integers of 4 bits along the outputs. */
    AWQ
  }

  /** The numbers themselves. */
  public static final String CODES = "codes";
  /** Their scales. */
  public static final String SCALES = "scales";
  /** What codes stand for (bitsandbytes). */
  public static final String LEVELS = "levels";
  /** bitsandbytes' settings, JSON. */
  public static final String STATE = "state";
  /** The scales of scales, and what their codes stand for. */
  public static final String NESTED = "nested";
  /** What the codes of scales stand for. */
  public static final String NESTED_LEVELS = "nested levels";
  /** Zero points. */
  public static final String ZEROS = "zeros";
  /** The group of each input (GPTQ). */
  public static final String GROUPS = "groups";

  private static final String WEIGHT = ".weight";

  /** Finds the tensors of a weight under one of its names, if they are quantised. */
  public static Optional<QuantisedTensor> find(Map<String, StoredTensor> all, QuantisationScheme scheme, Collection<String> names,
      long... shape) {
    if (shape.length != 2) {
      return Optional.empty();
    }
    for (String name : names) {
      String stem = name.endsWith(WEIGHT) ? name.substring(0, name.length() - WEIGHT.length()) : name;
      Optional<QuantisedTensor> found = switch (scheme.method()) {
        case NONE -> Optional.empty();
        case BITSANDBYTES -> bnb(all, name, stem, shape);
        case FP8 -> fp8(all, name, stem, scheme, shape);
        case GPTQ -> packed(all, Kind.GPTQ, name, stem, scheme, shape);
        case AWQ -> packed(all, Kind.AWQ, name, stem, scheme, shape);
      };
      if (found.isPresent()) {
        return found;
      }
    }
    return Optional.empty();
  }

  private static Optional<QuantisedTensor> bnb(Map<String, StoredTensor> all, String name, String stem, long... shape) {
    StoredTensor codes = all.get(name);
    if (codes == null) {
      return Optional.empty();
    }
    Map<String, StoredTensor> parts = new LinkedHashMap<>();
    parts.put(CODES, codes);
    if (all.containsKey(stem + ".SCB")) {
      require(parts, SCALES, all.get(stem + ".SCB"), List.of(StoredType.F32), shape[0]);
      require(codes, List.of(StoredType.I8), shape);
      StoredTensor format = all.get(stem + ".weight_format");
      if (format != null) {
        parts.put(STATE, format);
      }
      return Optional.of(new QuantisedTensor(Kind.BNB8, name, shape, parts));
    }
    for (String type : List.of("nf4", "fp4")) {
      StoredTensor state = all.get(name + ".quant_state.bitsandbytes__" + type);
      if (state != null) {
        long bytes = (shape[0] * shape[1] + 1) / 2;
        if (codes.bytes() != bytes) {
          throw wrong(codes, "has " + codes.bytes() + " bytes: a weight of " + Arrays.toString(shape) + " in 4 bits has " + bytes);
        }
        parts.put(STATE, state);
        require(parts, LEVELS, needed(all, codes, name + ".quant_map"), List.of(StoredType.F32), 16);
        StoredTensor nested = all.get(name + ".nested_absmax");
        StoredTensor scales = needed(all, codes, name + ".absmax");
        require(scales, List.of(nested == null ? StoredType.F32 : StoredType.U8), scales.shape());
        parts.put(SCALES, scales);
        if (nested != null) {
          require(parts, NESTED, nested, List.of(StoredType.F32), nested.shape());
          require(parts, NESTED_LEVELS, needed(all, codes, name + ".nested_quant_map"), List.of(StoredType.F32), 256);
        }
        return Optional.of(new QuantisedTensor(Kind.BNB4, name, shape, parts));
      }
    }
    return Optional.empty();
  }

  private static Optional<QuantisedTensor> fp8(Map<String, StoredTensor> all, String name, String stem, QuantisationScheme scheme,
      long... shape) {
    StoredTensor codes = all.get(name);
    if (codes == null || codes.type() != StoredType.F8_E4M3 && codes.type() != StoredType.F8_E5M2) {
      return Optional.empty();
    }
    require(codes, List.of(codes.type()), shape);
    Map<String, StoredTensor> parts = new LinkedHashMap<>();
    parts.put(CODES, codes);
    StoredTensor scales = all.getOrDefault(stem + ".weight_scale_inv", all.get(stem + ".weight_scale"));
    if (scales == null) {
      throw new InvalidInputException(codes.file() + ": tensor " + stem + ".weight_scale_inv or .weight_scale is missing, the scales of "
          + name);
    }
    List<StoredType> types = List.of(StoredType.F32, StoredType.BF16, StoredType.F16);
    long[] found = scales.shape();
    boolean single = scales.elements() == 1;
    boolean rows = Arrays.equals(found, new long[] {shape[0], 1}) || Arrays.equals(found, new long[] {shape[0]});
    if (!single && !rows) {
      if (scheme.blockRows() == 0) {
        throw wrong(scales, "has the shape " + Arrays.toString(found) + ": without weight_block_size in config.json there is one scale, or "
            + "one for each of " + shape[0] + " rows");
      }
      require(scales, types, ceil(shape[0], scheme.blockRows()), ceil(shape[1], scheme.blockColumns()));
    }
    require(scales, types, found);
    parts.put(SCALES, scales);
    StoredTensor ofInputs = all.get(stem + ".input_scale");
    if (ofInputs != null) {
      // For products in 8 bits; numbers are multiplied as they are here.
      parts.put("inputs", ofInputs);
    }
    return Optional.of(new QuantisedTensor(Kind.FP8, name, shape, parts));
  }

  private static Optional<QuantisedTensor> packed(Map<String, StoredTensor> all, Kind kind, String name, String stem,
      QuantisationScheme scheme, long... shape) {
    StoredTensor codes = all.get(stem + ".qweight");
    if (codes == null) {
      return Optional.empty();
    }
    long outputs = shape[0];
    long inputs = shape[1];
    long group = scheme.groupSize() == 0 ? inputs : scheme.groupSize();
    if (outputs % 8 != 0 || kind == Kind.GPTQ && inputs % 8 != 0) {
      throw wrong(codes, "packs 8 numbers of 4 bits together, which do not divide " + Arrays.toString(shape));
    }
    if (inputs % group != 0) {
      throw wrong(codes, "has groups of " + group + " inputs, which do not divide " + inputs);
    }
    long groups = inputs / group;
    Map<String, StoredTensor> parts = new LinkedHashMap<>();
    List<StoredType> ints = List.of(StoredType.I32);
    if (kind == Kind.GPTQ) {
      require(parts, CODES, codes, ints, inputs / 8, outputs);
      StoredTensor order = all.get(stem + ".g_idx");
      if (order != null) {
        require(parts, GROUPS, order, ints, inputs);
      }
    } else {
      require(parts, CODES, codes, ints, inputs, outputs / 8);
    }
    require(parts, ZEROS, needed(all, codes, stem + ".qzeros"), ints, groups, outputs / 8);
    require(parts, SCALES, needed(all, codes, stem + ".scales"), List.of(StoredType.F16, StoredType.BF16, StoredType.F32), groups, outputs);
    return Optional.of(new QuantisedTensor(kind, name, shape, parts));
  }

  private static long ceil(long n, long by) {
    return (n + by - 1) / by;
  }

  private static StoredTensor needed(Map<String, StoredTensor> all, StoredTensor codes, String name) {
    StoredTensor found = all.get(name);
    if (found == null) {
      throw new InvalidInputException(codes.file() + ": tensor " + Quote.line(name) + " is missing, without which "
          + Quote.line(codes.name()) + " cannot be read");
    }
    return found;
  }

  private static void require(Map<String, StoredTensor> parts, String part, StoredTensor tensor, List<StoredType> types, long... shape) {
    require(tensor, types, shape);
    parts.put(part, tensor);
  }

  private static void require(StoredTensor tensor, List<StoredType> types, long... shape) {
    if (!types.contains(tensor.type())) {
      throw new UnsupportedModelException(tensor.file() + ": tensor " + Quote.line(tensor.name()) + " is " + tensor.type()
          + ", expected is " + types.get(0));
    }
    if (!tensor.hasShape(shape)) {
      throw wrong(tensor, "has the shape " + Arrays.toString(tensor.shape()) + ", expected is " + Arrays.toString(shape));
    }
  }

  /** The error that a part of the weight is wrong. */
  public static InvalidInputException wrong(StoredTensor tensor, String why) {
    return new InvalidInputException(tensor.file() + ": tensor " + Quote.line(tensor.name()) + " " + why);
  }
}
