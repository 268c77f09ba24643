package dev.fettle.internal.remote;

import dev.fettle.DataPosition;
import dev.fettle.Full;
import dev.fettle.InvalidInputException;
import dev.fettle.Lora;
import dev.fettle.Modules;
import dev.fettle.Tuning;
import dev.fettle.internal.checkpoint.AtomicFiles;
import dev.fettle.internal.checkpoint.JsonFields;
import dev.fettle.internal.checkpoint.StrictJson;
import dev.fettle.internal.json.ObjectNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * What a saved state of a remote training leaves here: where its weights are, and what only this side knows.
 *
 * @param host the service that holds the weights
 * @param path the tinker path of weights and optimizer
 */
record RemoteState(String host, String path, String model, WireTuning tuning, long steps,
    Optional<DataPosition> position) {
  private static final String FILE = "remote.json";
  private static final int FORMAT = 1;

  void write(Path directory) {
    ObjectNode root = new ObjectNode();
    root.put("format", FORMAT);
    root.put("service", host);
    root.put("path", path);
    root.put("model", model);
    root.put("rank", tuning.rank());
    root.put("seed", tuning.seed());
    root.put("attention", tuning.attention());
    root.put("mlp", tuning.mlp());
    root.put("steps", steps);
    position.ifPresent(p -> root.put("data", p.toString()));
    AtomicFiles.writeDirectory(directory, into -> Files.writeString(into.resolve(FILE), StrictJson.write(root)));
  }

  static RemoteState read(Path directory) {
    AtomicFiles.recover(directory);
    Path file = directory.resolve(FILE);
    if (!Files.isRegularFile(file)) {
      throw new InvalidInputException(directory + ": no " + FILE + ", so it is not the state of a training on a service"
          + (Files.exists(directory.resolve("state.json")) ? "; a local one is resumed by Fettle.local()" : ""));
    }
    JsonFields f = new JsonFields(StrictJson.read(file), file.toString());
    if (f.integer("format", 1, Integer.MAX_VALUE) != FORMAT) {
      throw f.invalid("format", "must be " + FORMAT + ": this version reads no other");
    }
    String path = f.string("path").orElseThrow(() -> f.invalid("path", "must be a tinker path"));
    String model = f.string("model").orElseThrow(() -> f.invalid("model", "must name the base model"));
    WireTuning tuning = tuning(f.integer("rank", 0, Integer.MAX_VALUE), f.whole("seed"), f.bool("attention", true),
        f.bool("mlp", true));
    return new RemoteState(f.string("service").orElse("another service"), path, model, tuning, f.count("steps"),
        f.string("data").map(text -> f.checked("data", () -> DataPosition.parse(text))));
  }

  static WireTuning tuning(int rank, long seed, boolean attention, boolean mlp) {
    Tuning tuning = Full.all();
    if (rank > 0) {
      Lora lora = Lora.rank(rank).seed(seed);
      tuning = attention && mlp ? lora : lora.targetModules(attention ? Modules.attention() : Modules.mlp());
    }
    return new WireTuning(tuning, rank, seed, attention, mlp);
  }
}
