package dev.fettle.internal.checkpoint;

import dev.fettle.internal.FileErrors;
import dev.fettle.internal.json.JsonNode;
import dev.fettle.internal.json.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * The modules that a text passes through, as sentence-transformers lists them: the encoder, the pooling of its rows, and what
 * the vector passes through then.
 *
 * @param folder of the encoder's own files below the directory; empty where it is the directory
 * @param after what follows the pooling, in order
 */
public record EncoderModules(String folder, Pooling pooling, List<VectorModule> after) {
  private static final String PACKAGE = "sentence_transformers.models.";
  private static final String KNOWN = "the modules are Transformer, Pooling, Dense and Normalize, in this order or with "
      + "Dense and Normalize in any other";

  /** What an encoder is used with whose directory does not say: the mean, of length 1. */
  static final EncoderModules STANDARD = new EncoderModules("", Pooling.MEAN, List.of(new VectorModule.Normalize()));

  public EncoderModules {
    after = List.copyOf(after);
  }

  /** The folder of the encoder's own files; empty where it is the directory, or no list of modules says. */
  static String folder(OpenDirectory files) {
    return files.find(EncoderSettings.MODULES).map(EncoderModules::list).filter(l -> !l.isEmpty()).map(l -> folder(l.get(0)))
        .orElse("");
  }

  /** The folders of the modules that a file lists; none where it is no list. */
  public static List<String> folders(Path modules) {
    try (OpenFile file = OpenFile.open(modules)) {
      return list(file).stream().map(EncoderModules::folder).filter(folder -> !folder.isEmpty()).toList();
    } catch (IOException e) {
      throw FileErrors.unread(modules, e);
    }
  }

  /** Whether the directory lists a pooling: what it holds embeds texts. */
  public static boolean pool(OpenDirectory files) {
    return of(files, "Pooling").isPresent();
  }

  /** The settings of the listed module of a kind. */
  public static Optional<JsonFields> of(OpenDirectory files, String kind) {
    return files.find(EncoderSettings.MODULES).stream().flatMap(file -> list(file).stream())
        .filter(module -> kind(module).equals(kind)).findFirst()
        .map(module -> files.find(inFolder(module, EncoderSettings.CONFIG)).map(JsonFields::of).orElse(module));
  }

  /** Refuses a list with other modules than some kinds. */
  public static void requireOnly(OpenDirectory files, Set<String> kinds) {
    files.find(EncoderSettings.MODULES).stream().flatMap(file -> list(file).stream())
        .filter(module -> !kinds.contains(kind(module))).findFirst().ifPresent(module -> {
          throw module.unsupported("type", "the modules of a model that scores are " + String.join(", ", kinds));
        });
  }

  private static String kind(JsonFields module) {
    String type = module.string("type").orElseThrow(() -> module.invalid("type", "must name the module"));
    return type.substring(type.lastIndexOf('.') + 1);
  }

  /** Reads the list. */
  static EncoderModules read(OpenDirectory files, OpenFile modules) {
    String encoder = "";
    Pooling pooling = null;
    List<VectorModule> after = new ArrayList<>();
    for (JsonFields module : list(modules)) {
      switch (kind(module)) {
        case "Transformer", "BERT", "RoBERTa", "DistilBERT", "XLMRoBERTa", "CamemBERT" -> {
          encoder = folder(module);
          require(module, pooling == null && after.isEmpty());
        }
        case "Pooling" -> {
          require(module, pooling == null && after.isEmpty());
          pooling = Pooling.read(JsonFields.of(files.file(inFolder(module, EncoderSettings.CONFIG))));
        }
        case "Normalize" -> {
          require(module, pooling != null);
          after.add(new VectorModule.Normalize());
        }
        case "Dense" -> {
          require(module, pooling != null);
          after.add(VectorModule.Dense.read(files, folder(module)));
        }
        default -> throw module.unsupported("type", KNOWN);
      }
    }
    return new EncoderModules(encoder, pooling == null ? Pooling.MEAN : pooling, after);
  }

  private static void require(JsonFields module, boolean inOrder) {
    if (!inOrder) {
      throw module.unsupported("type", KNOWN);
    }
  }

  /** An array, read as strictly as objects are. */
  private static List<JsonFields> list(OpenFile modules) {
    JsonNode list = StrictJson.parse("{\"modules\":" + modules.text() + "}", modules.path().toString()).path("modules");
    List<JsonFields> out = new ArrayList<>();
    for (int i = 0; i < list.size() && list.isArray(); i++) {
      out.add(new JsonFields(list.get(i), modules.path() + " [" + i + "]"));
    }
    return out;
  }

  private static String folder(JsonFields module) {
    String folder = Path.of(module.string("path").orElse("").replace('\\', '/')).normalize().toString();
    if (folder.startsWith("/") || folder.startsWith("..")) {
      throw module.invalid("path", "must be a folder below the directory");
    }
    return folder;
  }

  private static String inFolder(JsonFields module, String file) {
    return folder(module).isEmpty() ? file : folder(module) + "/" + file;
  }

  /** Writes the list and the modules after the encoder, whose width is given. */
  void write(Path directory, int width) throws IOException {
    List<String> types = new ArrayList<>(List.of("Transformer", "Pooling"));
    after.forEach(module -> types.add(module.getClass().getSimpleName()));
    List<String> modules = new ArrayList<>();
    for (int i = 0; i < types.size(); i++) {
      String path = i == 0 ? "" : i + "_" + types.get(i);
      modules.add(StrictJson.write(new ObjectNode().put("idx", i).put("name", String.valueOf(i)).put("path", path)
          .put("type", PACKAGE + types.get(i))).strip());
      Files.createDirectories(directory.resolve(path));
    }
    Files.writeString(directory.resolve(EncoderSettings.MODULES), "[" + String.join(", ", modules) + "]\n");
    Files.writeString(directory.resolve("1_Pooling").resolve(EncoderSettings.CONFIG), StrictJson.write(pooling.toJson(width)));
    for (int i = 0; i < after.size(); i++) {
      if (after.get(i) instanceof VectorModule.Dense dense) {
        Path folder = directory.resolve(i + 2 + "_Dense");
        Files.write(folder.resolve(EncoderSettings.CONFIG), dense.config().bytes());
        Files.write(folder.resolve(ModelDirectory.SINGLE), dense.weights().bytes());
      }
    }
  }
}
