package dev.fettle.internal.remote;

import dev.fettle.DType;
import dev.fettle.FettleException;
import dev.fettle.InvalidInputException;
import dev.fettle.Lora;
import dev.fettle.ServiceException;
import dev.fettle.internal.Backend;
import dev.fettle.internal.FileErrors;
import dev.fettle.internal.Futures;
import dev.fettle.internal.LocalEngine;
import dev.fettle.internal.TrainingBackend;
import dev.fettle.internal.wire.Paths;
import dev.fettle.internal.wire.Weights;
import dev.fettle.internal.wire.WireException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.function.IntSupplier;

/** Weights that a service saves: to be sampled, to be resumed, or to be downloaded. */
final class Snapshots {
  /** A snapshot that is only downloaded is not needed for longer, in seconds. */
  private static final long BRIEFLY = 3600;

  /** How services answer that do not take a field. */
  private static final Set<Integer> REFUSED = Set.of(400, 422);

  private final RemoteBackend owner;
  private final RetryingClient calls;
  private volatile boolean notes = true;

  Snapshots(RemoteBackend owner) {
    this.owner = owner;
    this.calls = owner.calls();
  }

  /**
   * A sampling session of the weights as they are: without a name, or where a service wants one, with a name.
   *
   * @param sequence gives the next number of the training
   */
  String session(String model, IntSupplier sequence) {
    ApiRequest unnamed = ApiRequest.post(Paths.SAVE_FOR_SAMPLER, Weights.SaveForSampler.unnamed(model, owner.session().nextSampler(),
        sequence.getAsInt()), "save_weights_for_sampler");
    Weights.SamplerResult result;
    try {
      long start = System.nanoTime();
      result = path(unnamed, send(unnamed, false), "SaveWeightsForSampler", start, Weights.SamplerResult.class);
    } catch (InvalidInputException e) {
      String path = named(model, sequence.getAsInt(), null);
      return owner.samplingSession(null, path);
    }
    if (result.samplingSessionId() != null) {
      return result.samplingSessionId();
    } else if (result.path() != null) {
      return owner.samplingSession(null, result.path());
    }
    throw calls.problems().strange("save_weights_for_sampler", new WireException("neither session nor path"));
  }

  /** A snapshot for sampling that is kept; returns its path. */
  private String named(String model, int sequence, Long seconds) {
    String name = name("sampler");
    ApiRequest ask = ApiRequest.post(Paths.SAVE_FOR_SAMPLER, Weights.SaveForSampler.named(model, name, sequence, seconds),
        "save_weights_for_sampler");
    long start = System.nanoTime();
    RetryingClient.Reply reply = send(ask, true);
    if (reply.answer().status() == 409 && reply.repeated()) {
      return owner.checkpoints().find(model, name).orElse(Paths.TINKER + model + "/sampler_weights/" + name);
    }
    return path(ask, reply, "SaveWeightsForSampler", start, Weights.SamplerResult.class).path();
  }

  /** Saves weights and optimizer; returns the path. */
  String save(String model, int sequence, String label) {
    String name = name(label);
    ApiRequest ask = save(model, name, sequence, notes ? owner.session().metadata() : Map.of());
    long start = System.nanoTime();
    RetryingClient.Reply reply = send(ask, true);
    if (notes && !owner.session().metadata().isEmpty() && REFUSED.contains(reply.answer().status())) {
      // Perhaps for the notes, which services of before do not take.
      ask = save(model, name, sequence, Map.of());
      reply = send(ask, true);
      notes = !reply.answer().ok();
    }
    if (reply.answer().status() == 409 && reply.repeated()) {
      // It was saved by the request whose answer was lost: nobody else knows this name.
      return owner.checkpoints().find(model, name).orElse(Paths.TINKER + model + "/weights/" + name);
    }
    String path = path(ask, reply, "SaveWeights", start, Weights.Result.class).path();
    if (path == null) {
      throw calls.problems().strange("save_weights", new WireException("no path"));
    }
    return path;
  }

  private static ApiRequest save(String model, String name, int sequence, Map<String, String> metadata) {
    return ApiRequest.post(Paths.SAVE_WEIGHTS, Weights.Save.of(model, name, sequence, metadata), "save_weights");
  }

  /** The service may or may not have taken a request on, and so its number. */
  static final class Unanswered extends RuntimeException {
    private static final long serialVersionUID = 1;
    private final transient ServiceException problem;

    Unanswered(ServiceException problem) {
      super(problem);
      this.problem = problem;
    }

    ServiceException problem() {
      return problem;
    }
  }

  private RetryingClient.Reply send(ApiRequest ask, boolean keepsConflicts) {
    try {
      return calls.send(ask, calls.patience().budget(), status -> keepsConflicts && status == 409);
    } catch (ServiceException e) {
      throw new Unanswered(e);
    }
  }

  private <T> T path(ApiRequest ask, RetryingClient.Reply reply, String type, long start, Class<T> result) {
    if (!reply.answer().ok()) {
      throw calls.problems().of(reply.answer(), ask.what());
    }
    return owner.polling().json(PendingRequest.of(calls, reply.answer(), ask.what(), type, start), result);
  }

  /** Letters, digits, {@code _} and {@code -}: what all services take. */
  private static String name(String label) {
    return "fettle-" + label + "-" + UUID.randomUUID().toString().substring(0, 13);
  }

  /** Saves, downloads and deletes again: the adapter becomes a directory as the local side writes it. */
  void saveAdapter(String model, int sequence, Path directory, String baseModel) {
    withDownload(model, sequence, unpacked -> AdapterDirectory.write(unpacked, directory, baseModel));
  }

  void saveMerged(String id, int sequence, Path directory, RemoteModel model, DType type, boolean full) {
    if (full) {
      withDownload(id, sequence, unpacked -> AdapterDirectory.copyModel(unpacked, directory));
      return;
    }
    Path base = model.facts().weights().orElseThrow(() -> new InvalidInputException("saveMerged of " + model.name()
        + ": its weights are on the service only. saveAdapter downloads what was trained; with the model in a directory "
        + "here, Fettle.local() merges the two"));
    withDownload(id, sequence, unpacked -> {
      Path adapter = unpacked.resolve("fettle-adapter");
      AdapterDirectory.write(unpacked, adapter, model.name());
      try (Backend local = LocalEngine.find("saveMerged").open();
          TrainingBackend merging = local.load(base.toString(), Optional.of(type)).tune(Lora.from(adapter))) {
        Futures.join(merging.saveMerged(directory, type));
      }
    });
  }

  @FunctionalInterface
  interface Use {
    void of(Path unpacked) throws IOException;
  }

  private void withDownload(String model, int sequence, Use use) {
    String path = named(model, sequence, BRIEFLY);
    if (path == null) {
      throw calls.problems().strange("save_weights_for_sampler", new WireException("no path"));
    }
    TinkerPath checkpoint = TinkerPath.parse(path);
    try {
      owner.checkpoints().unpacked(checkpoint, use);
    } finally {
      try {
        owner.checkpoints().delete(checkpoint.toString());
      } catch (InvalidInputException | ServiceException e) {
        // It expires by itself where the service knows that; the download is what counts.
      }
    }
  }

  /** An error of the file system, for people. */
  static FettleException files(IOException e) {
    return new FettleException("the checkpoint cannot be written: " + FileErrors.reason(Path.of(""), e), e);
  }

  /** A directory of its own for something that is soon deleted. */
  static Path temporary() throws IOException {
    return Files.createTempDirectory("fettle-download");
  }
}
