package dev.fettle.internal.gguf;

import dev.fettle.InvalidInputException;
import dev.fettle.UnsupportedModelException;
import dev.fettle.internal.checkpoint.JsonFields;
import dev.fettle.internal.checkpoint.OpenDirectory;
import dev.fettle.internal.checkpoint.Quote;
import dev.fettle.internal.checkpoint.StrictJson;
import dev.fettle.internal.json.ArrayNode;
import dev.fettle.internal.json.ObjectNode;
import dev.fettle.internal.model.ModelConfig;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** A causal language model in a GGUF. Thread-safe; whoever opens it closes it. */
public final class GgufModel implements AutoCloseable {
  private static final int MOST = 1 << 26;

  private final GgufFile file;
  private final OpenDirectory files;
  private final ModelConfig config;
  private final Map<String, GgufWeight> tensors;

  private GgufModel(GgufFile file, OpenDirectory files, ModelConfig config, Map<String, GgufWeight> tensors) {
    this.file = file;
    this.files = files;
    this.config = config;
    this.tensors = tensors;
  }

  /**
   * Opens a model and checks that it has each tensor that its metadata asks for, and no other.
   *
   * @throws InvalidInputException if something is missing, broken or does not fit; names file and tensor
   * @throws UnsupportedModelException if it is of a kind that is not read
   */
  public static GgufModel open(Path path) {
    GgufFile file = GgufFile.open(path);
    try {
      GgufFamily family = ConfigOfGguf.family(file.metadata());
      Map<String, byte[]> contents = new LinkedHashMap<>();
      contents.put("config.json", ConfigOfGguf.json(file, family).getBytes(StandardCharsets.UTF_8));
      contents.putAll(TokenizerOfGguf.files(file.metadata()));
      contents.put("generation_config.json", generation(file.metadata()).getBytes(StandardCharsets.UTF_8));
      OpenDirectory files = OpenDirectory.of(path, contents);
      ModelConfig config = ModelConfig.of(JsonFields.of(files.file("config.json")));
      GgufModel model = new GgufModel(file, files, config, GgufNames.of(config, family));
      model.check(ConfigOfGguf.ahead(file.metadata(), family));
      return model;
    } catch (Throwable e) {
      file.close();
      throw e;
    }
  }

  /** The ids that end a text or a turn. */
  private static String generation(Metadata from) {
    ObjectNode root = new ObjectNode();
    int[] ids = Stream.of(TokenizerMetadata.EOS, TokenizerMetadata.EOT, TokenizerMetadata.EOM)
        .flatMapToInt(key -> from.whole(key, 0, MOST).stream()).distinct().toArray();
    ArrayNode all = root.putArray("eos_token_id");
    IntStream.of(ids).forEach(all::add);
    return StrictJson.write(root);
  }

  private void check(int ahead) {
    for (GgufWeight weight : tensors.values()) {
      GgufTensor found = file.tensors().get(weight.name());
      if (found == null) {
        throw new InvalidInputException(file.path() + ": tensor " + weight.name() + " is missing");
      }
      if (!Arrays.equals(found.shape(), weight.shape())) {
        throw new InvalidInputException(file.path() + ": tensor " + weight.name() + " has the shape " + Arrays.toString(found.shape())
            + ", the metadata asks for " + Arrays.toString(weight.shape()));
      }
    }
    for (String name : file.tensors().keySet()) {
      boolean angles = name.equals(RopeMetadata.LONG) || name.equals(RopeMetadata.SHORT) || name.equals(RopeMetadata.FREQUENCIES);
      if (!tensors.containsKey(name) && !angles && !isOfLayer(name, config.layers().size(), ahead)) {
        throw new UnsupportedModelException(file.path() + ": tensor " + Quote.line(name) + " is not a weight of a "
            + config.architecture().type() + " model with this metadata");
      }
    }
  }

  private static boolean isOfLayer(String tensor, int first, int count) {
    return IntStream.range(first, first + count).anyMatch(i -> tensor.startsWith("blk." + i + "."));
  }

  /** What it holds as the files of a directory in Hugging Face layout, but for the weights. */
  public OpenDirectory files() {
    return files;
  }

  /** Its description. */
  public ModelConfig config() {
    return config;
  }

  /** Its tensors as they must be, by their names. */
  public Map<String, GgufWeight> tensors() {
    return tensors;
  }

  /** The file. */
  public GgufFile file() {
    return file;
  }

  @Override
  public void close() {
    files.close();
    file.close();
  }

  @Override
  public String toString() {
    return "GgufModel[" + file + "]";
  }
}
