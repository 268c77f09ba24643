package dev.fettle.internal.serve;

import dev.fettle.AdamW;
import dev.fettle.Batch;
import dev.fettle.Loss;
import dev.fettle.Tuning;
import dev.fettle.internal.Futures;
import dev.fettle.internal.SamplerBackend;
import dev.fettle.internal.TrainingBackend;
import dev.fettle.internal.wire.Models;
import dev.fettle.internal.wire.PassProto;
import dev.fettle.internal.wire.Passes;
import dev.fettle.internal.wire.Paths;
import dev.fettle.internal.wire.RequestFutures.Submitted;
import dev.fettle.internal.wire.Steps;
import dev.fettle.internal.wire.Weights;
import dev.fettle.internal.wire.WireJson;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** The calls about models that are trained. */
final class TrainingCalls {
  private final Engine engine;
  private final Clients clients;

  TrainingCalls(Engine engine, Clients clients) {
    this.engine = engine;
    this.clients = clients;
  }

  private static Reply submitted(PendingRequest promise) {
    return Reply.json(Submitted.of(promise.id(), promise.modelId()));
  }

  Reply create(Request request) {
    Models.CreateModel body = request.read(Models.CreateModel.class);
    Session session = clients.session(body.sessionId());
    engine.requireBase(body.baseModel());
    Conversion.requireAdam("optimizer_config", body.optimizerConfig());
    Tuning tuning = Trained.tuning(body.loraConfig(), engine.limits());
    return submitted(session.create(body.modelSeqId(), Fingerprint.of("create_model", WireJson.write(body)),
        id -> new Trained(engine, session, id, body.loraConfig(), body.userMetadata()), model -> model.begin(tuning)));
  }

  Reply info(Request request) {
    Trained model = clients.model(request.read(Models.ModelRequest.class).modelId());
    return Reply.json(new Models.Info("get_info", model.id(),
        new Models.ModelData(null, engine.name(), engine.tokenizerId()), model.isLora(),
        model.isLora() ? model.config().rank() : null, engine.name()));
  }

  Reply unload(Request request) {
    Models.ModelRequest body = request.read(Models.ModelRequest.class);
    Trained model = clients.model(body.modelId());
    PendingRequest promise = model.submit(PendingRequest.Kind.OTHER, null, null, false, 0, training -> {
      model.session().forget(model);
      model.end(Problem.unknown("model " + model.id() + " was unloaded"));
      return Models.ModelResult.unloaded(model.id());
    });
    return submitted(promise);
  }

  /** A pass, as protobuf or as JSON. */
  Reply forwardBackward(Request request) {
    return pass(request.contains("Content-Type", Paths.PROTOBUF) ? PassProto.read(request.body())
        : Passes.Pass.forwardBackward(request.body()), request.body().length);
  }

  Reply forward(Request request) {
    return pass(Passes.Pass.forward(request.body()), request.body().length);
  }

  private Reply pass(Passes.Pass pass, long bytes) {
    Trained model = clients.model(pass.modelId());
    return model.checking(pass.seqId(), () -> {
      Loss loss = Conversion.loss(pass.lossFn(), pass.lossFnConfig());
      Targets targets = Conversion.targets(pass.data(), loss, engine);
      Batch batch = targets.batch();
      boolean backward = !pass.forwardOnly() && Conversion.trains(batch, loss);
      return submitted(model.submit(PendingRequest.Kind.PASS, pass.seqId(),
          Fingerprint.of("pass", PassProto.write(sorted(pass))), false, bytes,
          training -> targets.output(Futures.join(
              backward ? training.forwardBackward(batch, loss) : training.forward(batch, loss)))));
    });
  }

  /** The same pass however its maps were ordered on the way. */
  private static Passes.Pass sorted(Passes.Pass pass) {
    return new Passes.Pass(pass.modelId(), pass.seqId(), pass.data().stream()
        .map(d -> new Passes.Datum(d.modelInput(), new TreeMap<>(d.lossFnInputs()))).toList(), pass.lossFn(),
        new TreeMap<>(pass.lossFnConfig() == null ? Map.of() : pass.lossFnConfig()), pass.forwardOnly());
  }

  Reply optimStep(Request request) {
    Steps.OptimStep body = request.read(Steps.OptimStep.class);
    Trained model = clients.model(body.modelId());
    return model.checking(body.seqId(), () -> {
      Conversion.requireAdam("optimizer_params", body.optimizerParams());
      AdamW settings = Conversion.adamW(body.adamParams());
      return submitted(model.submit(PendingRequest.Kind.OTHER, body.seqId(),
          Fingerprint.of("step", WireJson.write(body)), false, 0,
          training -> Conversion.result(Futures.join(training.optimStep(settings)))));
    });
  }

  Reply save(Request request) {
    Weights.Save body = request.read(Weights.Save.class);
    Trained model = clients.model(body.modelId());
    return model.checking(body.seqId(), () -> {
      CheckpointId id = CheckpointId.of(model.id(), CheckpointId.Kind.TRAINING, body.path());
      String expires = Store.after(engine.instant(), body.ttlSeconds());
      return submitted(model.submit(PendingRequest.Kind.OTHER, body.seqId(),
          Fingerprint.of("save", WireJson.write(body)), false, 0, training -> {
            engine.store().save(id, meta(model, expires, body.userMetadata()), Boolean.TRUE.equals(body.overwrite()),
                directory -> Futures.join(training.saveState(directory, Optional.empty())));
            return Weights.Result.saved(id.toString());
          }));
    });
  }

  private Store.Meta meta(Trained model, String expires, Map<String, String> userMetadata) {
    Models.LoraConfig c = model.config();
    return new Store.Meta(engine.name(), model.isLora(), model.isLora() ? c.rank() : null,
        !Boolean.FALSE.equals(c.trainMlp()), !Boolean.FALSE.equals(c.trainAttn()), engine.instant().toString(), expires,
        false, userMetadata);
  }

  Reply load(Request request) {
    Weights.Load body = request.read(Weights.Load.class);
    Conversion.requireAdam("optimizer_config", body.optimizerConfig());
    if (body.modelId() == null && body.sessionId() != null) {
      return loadNew(body);
    } else if (body.sessionId() != null) {
      throw Problem.invalid("load_weights has model_id and session_id: give a model that exists, or where a new one is to be");
    }
    Trained model = clients.model(body.modelId());
    return model.checking(body.seqId(), () -> {
      CheckpointId id = state(body.path());
      return submitted(model.submit(PendingRequest.Kind.OTHER, body.seqId(),
          Fingerprint.of("load", WireJson.write(body)), true, 0, training -> load(model, training, id, body)));
    });
  }

  private static CheckpointId state(String path) {
    CheckpointId id = CheckpointId.parse(path);
    if (id.kind() != CheckpointId.Kind.TRAINING) {
      throw Problem.invalid(id + " holds what can be sampled, without the optimizer: load one that save_weights made");
    }
    return id;
  }

  private Weights.Result load(Trained model, TrainingBackend training, CheckpointId id, Weights.Load body) {
    engine.requireBase(engine.store().read(id).baseModel());
    Futures.join(Boolean.TRUE.equals(body.optimizer()) ? training.loadState(engine.store().directory(id))
        : training.loadWeights(engine.store().directory(id)));
    return Weights.Result.loaded(id.toString(), model.id());
  }

  /** A new model of what was saved, with the settings that it was saved with; its own requests begin with number 1. */
  private Reply loadNew(Weights.Load body) {
    Session session = clients.session(body.sessionId());
    CheckpointId id = state(body.path());
    Store.Meta meta = engine.store().read(id);
    engine.requireBase(body.baseModel() == null ? meta.baseModel() : body.baseModel());
    Models.LoraConfig config = new Models.LoraConfig(Boolean.FALSE.equals(meta.isLora()) ? 0 : meta.loraRank(), null, false,
        meta.trainMlp(), meta.trainAttn());
    Tuning tuning = Trained.tuning(config, engine.limits());
    return submitted(session.create(body.modelSeqId(), Fingerprint.of("load_new", WireJson.write(body)),
        model -> new Trained(engine, session, model, config, body.userMetadata()), model -> {
          model.begin(tuning);
          return model.submit(PendingRequest.Kind.OTHER, null, null, false, 0,
              training -> load(model, training, id, body));
        }));
  }

  Reply saveForSampler(Request request) {
    Weights.SaveForSampler body = request.read(Weights.SaveForSampler.class);
    Trained model = clients.model(body.modelId());
    return model.checking(body.seqId(), () -> {
      // A client may send the request again with another number for the sampling session: it is the same request.
      String fingerprint = Fingerprint.of("save_for_sampler " + body.path() + " " + body.ttlSeconds(), new byte[0]);
      if (body.path() == null) {
        return submitted(model.submit(PendingRequest.Kind.OTHER, body.seqId(), fingerprint, false, 0, training ->
            Weights.SamplerResult.of(null, snapshot(model, training, body.samplingSessionSeqId()).id())));
      }
      CheckpointId id = CheckpointId.of(model.id(), CheckpointId.Kind.SAMPLER, body.path());
      String expires = Store.after(engine.instant(), body.ttlSeconds());
      return submitted(model.submit(PendingRequest.Kind.OTHER, body.seqId(), fingerprint, false, 0, training -> {
        engine.store().save(id, meta(model, expires, body.userMetadata()), false, directory -> Futures.join(model.isLora()
            ? training.saveAdapter(directory) : training.saveMerged(directory, engine.model().dtype())));
        return Weights.SamplerResult.of(id.toString(), null);
      }));
    });
  }

  /** A sampler of the weights as they are, kept in memory only. */
  private Sampled snapshot(Trained model, TrainingBackend training, Integer number) {
    SamplerBackend frozen = Futures.join(training.sampler());
    Session session = model.session();
    try {
      Sampled sampler = session.sampler(number, "snapshot", id -> new Sampled(engine, session, id, null,
          !model.isLora(),
          new Sampled.Loaded(frozen, frozen::close), () -> {
            throw Problem.unknown("the weights of sampling session " + id
                + " were dropped for newer ones: the server keeps "
                + "the last " + engine.limits().samplers() + " of a client. Save weights by name to keep them");
          }));
      session.used(sampler);
      return sampler;
    } catch (RuntimeException | Error e) {
      frozen.close();
      throw e;
    }
  }
}
