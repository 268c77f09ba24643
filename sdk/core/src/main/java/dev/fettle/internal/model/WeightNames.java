package dev.fettle.internal.model;

import dev.fettle.InvalidInputException;
import dev.fettle.UnsupportedModelException;
import dev.fettle.internal.checkpoint.ModelDirectory;
import dev.fettle.internal.checkpoint.QuantisationScheme;
import dev.fettle.internal.checkpoint.QuantisedTensor;
import dev.fettle.internal.checkpoint.StoredTensor;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The weights that a model must have, by their Hugging Face names, and the check that a directory has them. */
public final class WeightNames {
  private static final Logger LOG = LoggerFactory.getLogger(WeightNames.class);
  private static final int COMPARED_AT_ONCE = 1 << 24;
  private static final String WEIGHT = ".weight";
  private static final String HEAD = OuterWeight.HEAD_MODULE + WEIGHT;

  private WeightNames() {}

  /**
   * Where a weight is stored.
   *
   * @param from its first byte within the tensor
   */
  public record Place(StoredTensor tensor, long from, long bytes) {}

  /** All weights with their shapes, in the order of the {@link Layout}. */
  public static Map<String, long[]> expected(ModelConfig config) {
    Map<String, long[]> all = new LinkedHashMap<>();
    Layout.of(config).weights().values().forEach(w -> all.put(w.name(), w.shape()));
    return all;
  }

  /**
   * Checks that the directory has each expected weight in its shape and in F32, F16 or BF16, and nothing else but what the
   * architecture lets be and, in a tied model, an output layer whose bytes equal the embedding's.
   *
   * @throws InvalidInputException if a weight is missing or of the wrong shape
   * @throws UnsupportedModelException if a weight has another type or is one that this architecture does not have
   */
  public static void check(ModelDirectory directory, ModelConfig config) {
    Set<String> known = new HashSet<>();
    expected(config).forEach((name, shape) -> {
      Optional<QuantisedTensor> quantised = quantised(directory, config, name, shape);
      if (quantised.isPresent()) {
        quantised.get().parts().values().forEach(t -> known.add(t.name()));
        return;
      }
      checkOne(directory, config, name, shape);
      known.add(stored(directory, config, name).name());
    });
    for (StoredTensor tensor : directory.tensors().values()) {
      if (!known.contains(tensor.name()) && !config.architecture().ignores(tensor.name())) {
        checkExtra(directory, config, tensor);
      }
    }
  }

  /** The tensors of a weight, if they are quantised; what is not whole of them or of another shape is an error. */
  public static Optional<QuantisedTensor> quantised(ModelDirectory directory, ModelConfig config, String name, long... shape) {
    return QuantisedTensor.find(directory.tensors(), QuantisationScheme.of(directory.config()),
        config.architecture().namesInFiles(name), shape);
  }

  /** Where a weight of a directory that was checked is stored. */
  public static Place place(ModelDirectory directory, ModelConfig config, String name) {
    StoredTensor tensor = stored(directory, config, name);
    Optional<Stacked> stacked = config.architecture().stacked(name).filter(s -> s.tensor().equals(tensor.name()));
    if (stacked.isEmpty()) {
      return new Place(tensor, 0, tensor.bytes());
    }
    Stacked s = stacked.get();
    long bytes = tensor.bytes() / tensor.shape()[0] / s.parts();
    return new Place(tensor, ((long) s.index() * s.parts() + s.part()) * bytes, bytes);
  }

  /**
   * The stored tensor of a weight, or that which holds it among others; null if there is none. Of a matrix that is both
   * embeddings files may hold either name.
   */
  public static StoredTensor stored(ModelDirectory directory, ModelConfig config, String name) {
    StoredTensor found = named(directory, config, name);
    boolean both = found == null && config.tiedEmbeddings() && name.equals(Layout.of(config).embeddingModule() + WEIGHT);
    return both ? named(directory, config, HEAD) : found;
  }

  /**
   * A model whose files have an output layer of their own is not tied, whatever config.json says; transformers takes it so, with
   * a warning.
   */
  public static ModelConfig asStored(ModelDirectory directory, ModelConfig config) {
    String embedding = Layout.of(config).embeddingModule() + WEIGHT;
    StoredTensor head = named(directory, config, HEAD);
    StoredTensor input = named(directory, config, embedding);
    if (!config.tiedEmbeddings() || head == null || input == null || sameBytes(directory, head, input)) {
      return config;
    }
    LOG.warn("{}: tensor {} differs from {} although config.json says tie_word_embeddings: the output layer is its own, as in "
        + "transformers; set tie_word_embeddings to false", head.file(), head.name(), input.name());
    return config.untied();
  }

  private static StoredTensor named(ModelDirectory directory, ModelConfig config, String name) {
    Architecture architecture = config.architecture();
    return Stream.concat(architecture.namesInFiles(name).stream(), architecture.stacked(name).map(Stacked::tensor).stream())
        .map(directory.tensors()::get).filter(Objects::nonNull).findFirst().orElse(null);
  }

  private static void checkOne(ModelDirectory directory, ModelConfig config, String name, long[] shape) {
    StoredTensor tensor = stored(directory, config, name);
    if (tensor == null) {
      String bare = config.architecture().prefix().filter(name::startsWith).map(p -> name.substring(p.length())).orElse(name);
      boolean headless = !bare.equals(name) && directory.tensors().containsKey(bare);
      throw new InvalidInputException(
          directory.path() + ": tensor " + name + " is missing"
              + (headless ? "; there is " + bare + ": saved without its language model head?" : "")
              + (name.equals(HEAD) ? "; a model whose output layer is its input embedding says tie_word_embeddings in "
                  + "config.json" : ""));
    }
    checkShape(tensor, stackedShape(config, tensor, shape, name).orElse(shape));
    if (!tensor.type().isWeight()) {
      throw new UnsupportedModelException(
          tensor.file() + ": tensor " + tensor.name() + " is " + tensor.type() + "; weights can be F32, F16 or BF16");
    }
  }

  /** What the tensor must be that holds a weight among those of other experts. */
  private static Optional<long[]> stackedShape(ModelConfig config, StoredTensor tensor, long[] one, String name) {
    return config.architecture().stacked(name).filter(s -> s.tensor().equals(tensor.name())).map(s -> new long[] {
        config.layers().stream().mapToLong(l -> l.numbers().experts().count()).max().orElse(0), s.parts() * one[0], one[1]});
  }

  private static void checkShape(StoredTensor tensor, long... shape) {
    if (!tensor.hasShape(shape)) {
      throw new InvalidInputException(
          tensor.file() + ": tensor " + tensor.name() + " has the shape " + Arrays.toString(tensor.shape())
              + ", config.json asks for " + Arrays.toString(shape));
    }
  }

  private static void checkExtra(ModelDirectory directory, ModelConfig config, StoredTensor tensor) {
    if (config.architecture().namesInFiles(HEAD).contains(tensor.name()) && config.tiedEmbeddings()) {
      String embedding = Layout.of(config).embeddingModule() + WEIGHT;
      if (sameBytes(directory, tensor, stored(directory, config, embedding))) {
        return;
      }
    }
    throw new UnsupportedModelException(
        tensor.file() + ": tensor " + tensor.name() + " is not a weight of a " + config.architecture().type()
            + (config.isCausalLm() ? " model" : " encoder") + " with this config.json");
  }

  private static boolean sameBytes(ModelDirectory directory, StoredTensor a, StoredTensor b) {
    if (a.type() != b.type() || !a.hasShape(b.shape())) {
      return false;
    }
    for (long from = 0; from < a.bytes(); from += COMPARED_AT_ONCE) {
      int length = (int) Math.min(COMPARED_AT_ONCE, a.bytes() - from);
      ByteBuffer left = directory.bytes(a, from, length);
      if (left.mismatch(directory.bytes(b, from, length)) >= 0) {
        return false;
      }
    }
    return true;
  }
}
