package dev.fettle.internal.chart;

import dev.fettle.InvalidInputException;
import dev.fettle.Training;
import dev.fettle.internal.Scratch;
import dev.fettle.internal.checkpoint.AdapterConfig;
import dev.fettle.internal.checkpoint.AtomicFiles;
import dev.fettle.internal.checkpoint.SafetensorsFile;
import dev.fettle.internal.checkpoint.StoredTensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * How far an adapter moved each weight.
 *
 * @param layers the rows
 * @param modules the columns
 * @param values the norms; NaN where nothing is adapted
 * @param total the norm of all together
 */
public record UpdateNorms(List<String> layers, List<String> modules, double[][] values, double total) {
  private static final String WEIGHTS = "adapter_model.safetensors";
  private static final Pattern A = Pattern.compile("base_model\\.model\\.(.*)\\.lora_A\\.weight");
  private static final Pattern LAYER = Pattern.compile(".*\\.layers\\.(\\d{1,6})\\.(.*)");

  /** Reads an adapter directory. */
  public static UpdateNorms of(Path directory) {
    AtomicFiles.recover(directory);
    AdapterConfig config = AdapterConfig.parse(directory.resolve(AdapterConfig.FILE_NAME));
    Map<Integer, Map<String, Double>> norms = new TreeMap<>();
    Set<String> names = new TreeSet<>(UpdateNorms::inOrder);
    double squares = 0;
    try (SafetensorsFile file = SafetensorsFile.open(directory.resolve(WEIGHTS))) {
      for (StoredTensor a : file.tensors().values()) {
        Matcher m = A.matcher(a.name());
        if (m.matches()) {
          String path = m.group(1);
          StoredTensor b = file.tensors().get(a.name().replace(".lora_A.", ".lora_B."));
          if (b == null) {
            throw new InvalidInputException(file.path() + ": " + a.name() + " has no lora_B beside it");
          }
          double norm = config.scale(path) * norm(floats(file, a), floats(file, b), (int) a.shape()[0]);
          Matcher in = LAYER.matcher(path);
          boolean layered = in.matches();
          String module = (layered ? in.group(2) : path).replaceAll(".*\\.", "");
          norms.computeIfAbsent(layered ? Integer.parseInt(in.group(1)) : -1, l -> new TreeMap<>()).put(module, norm);
          names.add(module);
          squares += norm * norm;
        }
      }
    }
    if (names.isEmpty()) {
      throw new InvalidInputException(directory + ": holds no LoRA matrices");
    }
    List<String> modules = List.copyOf(new LinkedHashSet<>(names));
    double[][] values = new double[norms.size()][modules.size()];
    List<String> layers = new ArrayList<>();
    for (var row : norms.entrySet()) {
      Arrays.setAll(values[layers.size()], i -> row.getValue().getOrDefault(modules.get(i), Double.NaN));
      layers.add(row.getKey() < 0 ? "outside layers" : "layer " + row.getKey());
    }
    return new UpdateNorms(layers, modules, values, Math.sqrt(squares));
  }

  /** Saves a training's adapter for as long as a function reads it. */
  public static <T> T saved(Training training, Function<Path, T> reader) {
    try (Scratch scratch = new Scratch()) {
      Path adapter = scratch.resolve("adapter");
      training.saveAdapter(adapter);
      return reader.apply(adapter);
    }
  }

  /** |B A|, with the square taken as the sum of the products of the elements of B'B and A A': both are r by r. */
  private static double norm(float[] a, float[] b, int rank) {
    int inputs = a.length / rank;
    int outputs = b.length / rank;
    double sum = 0;
    for (int i = 0; i < rank; i++) {
      for (int j = i; j < rank; j++) {
        double aa = 0;
        for (int k = 0; k < inputs; k++) {
          aa += (double) a[i * inputs + k] * a[j * inputs + k];
        }
        double bb = 0;
        for (int k = 0; k < outputs; k++) {
          bb += (double) b[k * rank + i] * b[k * rank + j];
        }
        sum += (i == j ? 1 : 2) * aa * bb;
      }
    }
    return Math.sqrt(Math.max(0, sum));
  }

  private static float[] floats(SafetensorsFile file, StoredTensor tensor) {
    ByteBuffer bytes = file.bytes(tensor, 0, Math.toIntExact(tensor.bytes())).order(ByteOrder.LITTLE_ENDIAN);
    float[] values = new float[Math.toIntExact(tensor.elements())];
    for (int i = 0; i < values.length; i++) {
      values[i] = switch (tensor.type()) {
        case F32 -> bytes.getFloat();
        case BF16 -> Float.intBitsToFloat(bytes.getShort() << 16);
        case F16 -> half(bytes.getShort());
        default -> throw new InvalidInputException(file.path() + ": " + tensor.name() + " is " + tensor.type()
            + "; an adapter can be F32, F16 or BF16");
      };
    }
    return values;
  }

  private static float half(short bits) {
    int exponent = bits >> 10 & 0x1F;
    float fraction = bits & 0x3FF;
    float size = exponent == 0 ? fraction * 0x1p-24f : (1 + fraction / 1024) * (float) Math.pow(2, exponent - 15);
    return bits < 0 ? -size : size;
  }

  /** As they come in a layer: attention before the feed-forward part. */
  private static int inOrder(String a, String b) {
    List<String> order = List.of("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj");
    int i = order.indexOf(a);
    int j = order.indexOf(b);
    return i >= 0 && j >= 0 ? Integer.compare(i, j) : i != j ? Integer.compare(j, i) : a.compareTo(b);
  }
}
