package dev.fettle.internal.chart;

import dev.fettle.InvalidInputException;
import dev.fettle.internal.TempDirectory;
import dev.fettle.internal.checkpoint.AdapterConfig;
import dev.fettle.internal.checkpoint.Contents;
import dev.fettle.internal.checkpoint.ModelDirectory;
import dev.fettle.internal.checkpoint.OpenDirectory;
import dev.fettle.internal.checkpoint.SafetensorsFile;
import dev.fettle.internal.checkpoint.StoredTensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * How far tuning moved each weight: by an adapter, or between two models.
 *
 * @param layers the rows
 * @param modules the columns
 * @param values the norms; NaN where nothing moved
 * @param total the norm of all together
 */
public record UpdateNorms(List<String> layers, List<String> modules, double[][] values, double total) {
  private static final Pattern A = Pattern.compile("base_model\\.model\\.(.*)\\.lora_A\\.weight");
  private static final Pattern LAYER = Pattern.compile("(?:.*\\.)?layers?\\.(\\d{1,6})\\.(.*)");
  private static final int PIECE = 1 << 20;

  /** Reads an adapter directory. */
  public static UpdateNorms of(Path directory) {
    Squares squares = new Squares();
    try (OpenDirectory files = OpenDirectory.open(directory, Contents.Kind.ADAPTER)) {
      AdapterConfig config = AdapterConfig.in(files);
      SafetensorsFile file = SafetensorsFile.open(files.file(AdapterConfig.WEIGHTS));
      for (StoredTensor a : file.tensors().values()) {
        Matcher m = A.matcher(a.name());
        if (m.matches()) {
          String path = m.group(1);
          StoredTensor b = file.tensors().get(a.name().replace(".lora_A.", ".lora_B."));
          if (b == null) {
            throw new InvalidInputException(file.path() + ": " + a.name() + " has no lora_B beside it");
          }
          String weight = weight(config, path, file.tensors().keySet());
          int ranks = (int) a.shape()[0];
          int copies = weight.equals(path) ? 1 : ranks / config.rank(weight);
          squares.add(weight, Math.pow(config.scale(weight), 2) * square(floats(file, a), floats(file, b), ranks, copies));
        }
      }
    }
    return squares.norms(directory + ": holds no LoRA matrices");
  }

  /** The module; of the experts' two weights, which PEFT tells apart by how deep they are wrapped, the name of the one. */
  private static String weight(AdapterConfig config, String path, Set<String> names) {
    String experts = path.replaceFirst("\\.base_layer$", "");
    if (!experts.endsWith(".experts")) {
      return path;
    }
    boolean within = !path.equals(experts)
        || !names.contains("base_model.model." + path + ".base_layer.lora_A.weight") && config.takesParameter(path + ".gate_up_proj");
    return experts + (within ? ".gate_up_proj" : ".down_proj");
  }

  /** Reads two models of one shape, a piece of a tensor at a time. */
  public static UpdateNorms between(Path base, Path tuned) {
    Squares squares = new Squares();
    try (ModelDirectory before = ModelDirectory.open(base);
        ModelDirectory after = ModelDirectory.open(tuned)) {
      for (StoredTensor b : after.tensors().values()) {
        StoredTensor a = before.tensors().get(b.name());
        if (a == null || !a.hasShape(b.shape())) {
          throw new InvalidInputException(tuned + ": " + b + (a == null ? " is not in " + base : " is " + a + " in " + base)
              + "; give two models of one shape");
        }
        double square = square(before, a, after, b);
        if (square > 0) {
          squares.add(b.name().replaceFirst("\\.(weight|bias)$", ""), square);
        }
      }
    }
    return squares.norms(tuned + " has the weights of " + base);
  }

  private static double square(ModelDirectory before, StoredTensor a, ModelDirectory after, StoredTensor b) {
    double sum = 0;
    for (long from = 0; from < a.elements(); from += PIECE) {
      int n = (int) Math.min(PIECE, a.elements() - from);
      float[] x = Floats.of(a, before.bytes(a, from * a.type().size(), n * a.type().size()));
      float[] y = Floats.of(b, after.bytes(b, from * b.type().size(), n * b.type().size()));
      for (int i = 0; i < n; i++) {
        double d = (double) y[i] - x[i];
        sum += d * d;
      }
    }
    return sum;
  }

  /** Reads an adapter directory that is saved for this alone. */
  public static UpdateNorms ofSaved(Consumer<Path> save) {
    try (TempDirectory scratch = new TempDirectory()) {
      Path adapter = scratch.resolve("adapter");
      save.accept(adapter);
      return of(adapter);
    }
  }

  /**
   * |B A| squared, as the sum of the products of the elements of B'B and A A', both r by r; of several experts, whose rows of A
   * follow each other and whose columns of B take turns, the sum.
   */
  private static double square(float[] a, float[] b, int ranks, int experts) {
    int inputs = a.length / ranks;
    int outputs = b.length / ranks;
    int rank = ranks / experts;
    double sum = 0;
    for (int e = 0; e < experts; e++) {
      for (int i = 0; i < rank; i++) {
        for (int j = i; j < rank; j++) {
          double aa = 0;
          for (int k = 0; k < inputs; k++) {
            aa += (double) a[(e * rank + i) * inputs + k] * a[(e * rank + j) * inputs + k];
          }
          double bb = 0;
          for (int k = 0; k < outputs; k++) {
            bb += (double) b[k * ranks + i * experts + e] * b[k * ranks + j * experts + e];
          }
          sum += (i == j ? 1 : 2) * aa * bb;
        }
      }
    }
    return Math.max(0, sum);
  }

  private static float[] floats(SafetensorsFile file, StoredTensor tensor) {
    return Floats.of(tensor, file.bytes(tensor, 0, Math.toIntExact(tensor.bytes())));
  }

  /** As they come in a layer: attention before the feed-forward part. */
  private static int inOrder(String a, String b) {
    List<String> order = List.of("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj");
    int i = order.indexOf(a);
    int j = order.indexOf(b);
    return i >= 0 && j >= 0 ? Integer.compare(i, j) : i != j ? Integer.compare(j, i) : a.compareTo(b);
  }

  /** Squares of norms by layer and module, as they are found. */
  private static final class Squares {
    private final Map<Integer, Map<String, Double>> found = new TreeMap<>();
    private final Set<String> names = new TreeSet<>(UpdateNorms::inOrder);
    private double total;

    void add(String path, double square) {
      Matcher in = LAYER.matcher(path);
      boolean layered = in.matches();
      String module = (layered ? in.group(2) : path).replaceAll(".*\\.", "");
      found.computeIfAbsent(layered ? Integer.parseInt(in.group(1)) : -1, l -> new TreeMap<>()).merge(module, square, Double::sum);
      names.add(module);
      total += square;
    }

    UpdateNorms norms(String none) {
      if (names.isEmpty()) {
        throw new InvalidInputException(none);
      }
      List<String> modules = List.copyOf(names);
      double[][] values = new double[found.size()][modules.size()];
      List<String> layers = new ArrayList<>();
      for (var row : found.entrySet()) {
        Arrays.setAll(values[layers.size()], i -> Math.sqrt(row.getValue().getOrDefault(modules.get(i), Double.NaN)));
        layers.add(row.getKey() < 0 ? "outside layers" : "layer " + row.getKey());
      }
      return new UpdateNorms(layers, modules, values, Math.sqrt(total));
    }
  }
}
