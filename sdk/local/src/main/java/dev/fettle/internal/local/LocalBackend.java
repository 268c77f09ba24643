package dev.fettle.internal.local;

import dev.fettle.DType;
import dev.fettle.InvalidInputException;
import dev.fettle.Quantisation;
import dev.fettle.internal.Backend;
import dev.fettle.internal.FileErrors;
import dev.fettle.internal.ModelBackend;
import dev.fettle.internal.ProgressMeter;
import dev.fettle.internal.checkpoint.EmbeddedModel;
import dev.fettle.internal.checkpoint.ModelDirectory;
import dev.fettle.internal.checkpoint.OpenDirectory;
import dev.fettle.internal.gguf.GgufFile;
import dev.fettle.internal.gguf.GgufModel;
import dev.fettle.internal.hub.Hub;
import dev.fettle.internal.model.ModelConfig;
import dev.fettle.internal.torch.Processor;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** This machine. */
public final class LocalBackend implements Backend {
  private final List<LocalModel> models = new ArrayList<>();
  private final Map<String, String> env;
  private boolean open = true;

  /** With this process's environment, which says how the Hugging Face hub is reached. */
  public LocalBackend() {
    this(System.getenv());
  }

  LocalBackend(Map<String, String> env) {
    this.env = env;
  }

  @Override
  public ModelBackend load(String name, Optional<DType> type, Optional<Quantisation> quantisation, ProgressMeter meter) {
    return model(name, type, quantisation, meter);
  }

  private LocalModel model(String name, Optional<DType> type, Optional<Quantisation> quantisation, ProgressMeter meter) {
    EngineThread.get().run(() -> EngineThread.requireOpen(open, "this Fettle"));
    // A download may take long: the engine goes on meanwhile.
    Path directory = EmbeddedModel.NAME.equals(name) ? EmbeddedModel.directory() : place(name);
    return EngineThread.get().call(() -> {
      EngineThread.requireOpen(open, "this Fettle");
      LocalModel model = Files.isRegularFile(directory)
          ? LocalModel.load(name, GgufModel.open(directory), type, quantisation, meter)
          : LocalModel.load(name, ModelDirectory.files(directory), type, quantisation, meter);
      models.add(model);
      return model;
    });
  }

  @Override
  public ModelBackend initialise(Path directory, Optional<DType> type, Optional<Quantisation> quantisation, long seed) {
    return initialised(directory, type, quantisation, seed);
  }

  private LocalModel initialised(Path directory, Optional<DType> type, Optional<Quantisation> quantisation, long seed) {
    return EngineThread.get().call(() -> {
      EngineThread.requireOpen(open, "this Fettle");
      LocalModel model = LocalModel.initialise(ModelDirectory.files(directory),
          type.orElseGet(Processor::fastestType), quantisation, seed);
      models.add(model);
      return model;
    });
  }

  /** Where a model is: a GGUF or a directory. */
  private Path place(String name) {
    try {
      Path path = Path.of(name);
      if (GgufFile.isOne(path)) {
        return path;
      } else if (Files.isRegularFile(path)) {
        throw new InvalidInputException(name + ": is a file and no GGUF; name one, or the directory that holds config.json");
      }
    } catch (InvalidPathException e) {
      return directory(name);
    }
    return directory(name);
  }

  private Path directory(String name) {
    try {
      Path path = Path.of(name);
      if (!Files.notExists(path)) {
        FileErrors.requireDirectory(path, "config.json");
        return path;
      }
      if (!Hub.isName(name)) {
        throw new InvalidInputException(name + ": no such model directory (looked for " + path.toAbsolutePath()
            + "), and not a name on the Hugging Face hub, owner/name; the model in the library itself is "
            + EmbeddedModel.NAME);
      }
    } catch (InvalidPathException e) {
      throw new InvalidInputException("\"" + name + "\" cannot be a path: " + e.getReason(), e);
    }
    return new Hub(env).model(name, ModelConfig::parse);
  }

  @Override
  public Resumed resume(Path directory, ProgressMeter meter) {
    try (OpenDirectory files = StateFiles.open(directory)) {
      return resume(files, meter);
    }
  }

  private Resumed resume(OpenDirectory files, ProgressMeter meter) {
    StateFiles.State state = StateFiles.read(files);
    Optional<DType> type = Optional.of(state.dtype());
    LocalModel model = state.initialised().isPresent()
        ? initialised(directory(state.model()), type, state.quantisation(), state.initialised().getAsLong())
        : model(state.model(), type, state.quantisation(), meter);
    try {
      return EngineThread.get().call(() -> {
        LocalTraining training = model.resume(files);
        StateFiles.load(files, training);
        return new Resumed(model, training);
      });
    } catch (RuntimeException | Error e) {
      model.close();
      throw e;
    }
  }

  @Override
  public List<String> models() {
    return List.of(EmbeddedModel.NAME);
  }

  @Override
  public void close() {
    EngineThread.get().run(() -> {
      open = false;
      models.forEach(LocalModel::close);
      models.clear();
    });
  }
}
