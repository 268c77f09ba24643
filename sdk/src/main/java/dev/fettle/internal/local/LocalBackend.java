package dev.fettle.internal.local;

import dev.fettle.DType;
import dev.fettle.InvalidInputException;
import dev.fettle.internal.Backend;
import dev.fettle.internal.ModelBackend;
import dev.fettle.internal.checkpoint.EncoderSettings;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** This machine. */
public final class LocalBackend implements Backend {
  private final List<LocalModel> models = new ArrayList<>();
  private boolean open = true;

  @Override
  public ModelBackend load(String name, Optional<DType> type) {
    return model(name, type);
  }

  private LocalModel model(String name, Optional<DType> type) {
    return EngineThread.get().call(() -> {
      EngineThread.requireOpen(open, "this Fettle");
      Path directory = EmbeddedModel.NAME.equals(name) ? EmbeddedModel.directory() : directory(name);
      LocalModel model = LocalModel.load(name, directory, type.orElseGet(() -> EncoderSettings.isEncoder(directory) ? DType.F32 : Processor.bestType()));
      models.add(model);
      return model;
    });
  }

  @Override
  public ModelBackend initialise(Path directory, Optional<DType> type, long seed) {
    return initialised(directory, type, seed);
  }

  private LocalModel initialised(Path directory, Optional<DType> type, long seed) {
    return EngineThread.get().call(() -> {
      EngineThread.requireOpen(open, "this Fettle");
      LocalModel model = LocalModel.initialise(directory, type.orElseGet(Processor::bestType), seed);
      models.add(model);
      return model;
    });
  }

  private static Path directory(String name) {
    try {
      Path path = Path.of(name);
      if (Files.isDirectory(path)) {
        return path;
      }
      throw new InvalidInputException(name + ": no such model directory (looked for " + path.toAbsolutePath()
          + "); the model in the library itself is " + EmbeddedModel.NAME);
    } catch (InvalidPathException e) {
      throw new InvalidInputException("\"" + name + "\" cannot be a path: " + e.getReason(), e);
    }
  }

  @Override
  public Resumed resume(Path directory) {
    StateFiles.State state = StateFiles.read(directory);
    Optional<DType> type = Optional.of(state.dtype());
    LocalModel model = state.initialised().isPresent()
        ? initialised(directory(state.model()), type, state.initialised().getAsLong()) : model(state.model(), type);
    try {
      return EngineThread.get().call(() -> {
        LocalTraining training = model.resume(directory);
        StateFiles.load(directory, training);
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
