package dev.fettle.internal.serve;

import dev.fettle.Lora;
import dev.fettle.SamplingParams;
import dev.fettle.internal.Futures;
import dev.fettle.internal.ModelBackend;
import dev.fettle.internal.SamplerBackend;
import dev.fettle.internal.TrainingBackend;
import dev.fettle.internal.json.JsonNode;
import dev.fettle.internal.wire.RequestFutures.Submitted;
import dev.fettle.internal.wire.Sampling;
import dev.fettle.internal.wire.WireJson;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;

/** The calls about samplers. */
final class SamplingCalls {
  private static final int STOPS = 1024;

  private final Engine engine;
  private final Clients clients;

  SamplingCalls(Engine engine, Clients clients) {
    this.engine = engine;
    this.clients = clients;
  }

  Reply createSession(Request request) {
    Sampling.CreateSession body = request.read(Sampling.CreateSession.class);
    Session session = clients.session(body.sessionId());
    Sampled sampler = session.sampler(body.samplingSessionSeqId(), Fingerprint.of("sampler", WireJson.write(body)),
        id -> sampler(session, id, body.baseModel(), body.modelPath()));
    return Reply.json(Sampling.Session.of(sampler.id()));
  }

  /** A number for another copy of a client, so that its requests are told from those of the others. */
  Reply join(Request request) {
    return Reply.json(new Sampling.Joined("join_sampling_session",
        clients.sampler(request.read(Sampling.Join.class).samplingSessionId()).join()));
  }

  /** A sampler of a base model, or of stored weights. */
  private Sampled sampler(Session session, String id, String base, String path) {
    if (path == null) {
      engine.requireBase(base);
      return new Sampled(engine, session, id, null, false, null, () -> {
        SamplerBackend sampler = engine.model().sampler();
        return new Sampled.Loaded(sampler, sampler::close);
      });
    }
    CheckpointId checkpoint = CheckpointId.parse(path);
    Store.Meta meta = engine.store().read(checkpoint);
    engine.requireBase(meta.baseModel());
    boolean adapter = Boolean.TRUE.equals(meta.isLora());
    if (!adapter && checkpoint.kind() == CheckpointId.Kind.TRAINING) {
      throw Problem.invalid(checkpoint + " holds a training's state; sample what save_weights_for_sampler made");
    }
    return new Sampled(engine, session, id, path, !adapter, null, () -> {
      engine.store().read(checkpoint);
      return load(engine.store().directory(checkpoint), adapter);
    });
  }

  private Sampled.Loaded load(Path directory, boolean adapter) {
    if (adapter) {
      TrainingBackend training = engine.model().tune(Lora.from(directory));
      try {
        SamplerBackend sampler = Futures.join(training.sampler());
        return new Sampled.Loaded(sampler, sampler::close);
      } finally {
        training.close();
      }
    }
    ModelBackend model = engine.backend().load(directory.toString(), Optional.of(engine.model().dtype()));
    try {
      return new Sampled.Loaded(model.sampler(), model::close);
    } catch (RuntimeException | Error e) {
      model.close();
      throw e;
    }
  }

  Reply sampler(Request request) {
    Sampled sampler = clients.sampler(request.segment(1));
    return Reply.json(new Sampling.Sampler(sampler.id(), engine.name(), sampler.path()));
  }

  Reply sample(Request request) {
    Sampling.Sample body = request.read(Sampling.Sample.class);
    Sampled sampler = body.samplingSessionId() != null ? clients.sampler(body.samplingSessionId()) : direct(body);
    if (body.prompt() == null) {
      throw Problem.missing("prompt");
    }
    int[] prompt = body.prompt().tokens();
    Conversion.tokens("prompt", prompt, engine.model());
    Sampling.Params wire = Problem.require(body.samplingParams(), "sampling_params");
    int samples = body.numSamples() == null ? 1 : body.numSamples();
    boolean seeded = wire.seed() != null;
    PendingRequest promise = sampler.submit(body.seqId(), Fingerprint.of("sample", WireJson.write(body)), prompt,
        params(wire, samples), seeded,
        Scoring.of(body, prompt, engine));
    return Reply.json(Submitted.samples(promise.id(), samples));
  }

  private Sampled direct(Sampling.Sample body) {
    if (body.baseModel() == null && body.modelPath() == null) {
      throw Problem.missing("sampling_session_id");
    }
    String source = body.modelPath() == null ? "base" : body.modelPath();
    int number = source.hashCode() & 0x3fff_ffff;
    return clients.shared().sampler(number, source, id -> sampler(clients.shared(), id, body.baseModel(),
        body.modelPath()));
  }

  private SamplingParams params(Sampling.Params p, int samples) {
    int topK = p.topK() == null ? 0 : Math.max(0, p.topK());
    List<String> texts = new ArrayList<>();
    List<Integer> ids = new ArrayList<>();
    if (p.stop() != null && !p.stop().isNull()) {
      for (JsonNode stop : p.stop().isArray() ? p.stop() : List.of(p.stop())) {
        if (stop.isString()) {
          texts.add(stop.asString());
        } else if (stop.isIntegralNumber() && stop.canConvertToInt()) {
          ids.add(stop.asInt());
        } else {
          throw new Problem(422, "sampling_params.stop has " + stop + ": give texts or token ids");
        }
      }
    }
    if (samples > engine.limits().sizes().samples()) {
      throw Problem.invalid("num_samples is " + samples + ": at most " + engine.limits().sizes().samples()
          + " are sampled in one request");
    }
    if (texts.size() + ids.size() > STOPS) {
      throw Problem.invalid("sampling_params.stop has " + (texts.size() + ids.size()) + " entries: give at most " + STOPS);
    }
    return new SamplingParams(p.maxTokens() == null ? engine.model().contextLength() : p.maxTokens(),
        p.temperature() == null ? 1 : p.temperature(), topK, p.topP() == null ? 1 : p.topP(),
        p.seed() == null ? ThreadLocalRandom.current().nextLong() : p.seed(), texts, ids, samples, false,
        false);
  }
}
