package dev.fettle.internal.serve;

import dev.fettle.InvalidInputException;
import dev.fettle.internal.checkpoint.OpenDirectory;
import dev.fettle.internal.json.JsonNode;
import dev.fettle.internal.wire.Checkpoints;
import dev.fettle.internal.wire.Checkpoints.Checkpoint;
import dev.fettle.internal.wire.Checkpoints.TrainingRun;
import dev.fettle.internal.wire.Paths;
import dev.fettle.internal.wire.Steps;
import dev.fettle.internal.wire.Weights;
import dev.fettle.internal.wire.WireJson;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** The calls about what is stored, and about the runs that stored it. */
final class CheckpointCalls {
  private final Engine engine;
  private final Clients clients;
  private final Downloads downloads = new Downloads();

  CheckpointCalls(Engine engine, Clients clients) {
    this.engine = engine;
    this.clients = clients;
  }

  /** {@code training_runs/RUN/checkpoints/KIND/NAME...}. */
  private static CheckpointId id(Request request) {
    return CheckpointId.of(request.segment(1), request.segment(3), request.segment(4));
  }

  Reply all(Request request) {
    List<Checkpoint> all = engine.store().describe(run -> true);
    Page page = Page.of(request, 100);
    return Reply.json(new Checkpoints.CheckpointList(page.cut(all), page.cursor(all)));
  }

  Reply ofRun(Request request) {
    String run = request.segment(1);
    run(run);
    return Reply.json(new Checkpoints.CheckpointList(engine.store().describe(run::equals), null));
  }

  Reply runs(Request request) {
    List<TrainingRun> all = List.copyOf(runs().values());
    Page page = Page.of(request, 20);
    return Reply.json(new Checkpoints.TrainingRuns(page.cut(all), page.cursor(all)));
  }

  Reply run(Request request) {
    return Reply.json(run(request.segment(1)));
  }

  private TrainingRun run(String id) {
    TrainingRun run = runs().get(id);
    if (run == null) {
      throw Problem.unknown("there is no training run \"" + id + "\"");
    }
    return run;
  }

  private Map<String, TrainingRun> runs() {
    Map<String, TrainingRun> out = new TreeMap<>();
    engine.store().list(run -> true).forEach((id, meta) -> {
      TrainingRun before = out.get(id.run());
      Checkpoint checkpoint = engine.store().describe(id, meta);
      boolean training = id.kind() == CheckpointId.Kind.TRAINING;
      out.put(id.run(), new TrainingRun(id.run(), meta.baseModel(), "local", meta.isLora(), false, meta.loraRank(),
          later(before == null ? null : before.lastRequestTime(), meta.time()),
          newer(before == null ? null : before.lastCheckpoint(), training ? checkpoint : null),
          newer(before == null ? null : before.lastSamplerCheckpoint(), training ? null : checkpoint),
          before == null ? null : before.userMetadata()));
    });
    for (Session session : clients.all()) {
      for (Trained m : session.models()) {
        TrainingRun stored = out.get(m.id());
        out.put(m.id(), new TrainingRun(m.id(), engine.name(), "local", m.isLora(), false,
            m.isLora() ? m.config().rank() : null, m.last().toString(), stored == null ? null : stored.lastCheckpoint(),
            stored == null ? null : stored.lastSamplerCheckpoint(), m.userMetadata()));
      }
    }
    return out;
  }

  private static String later(String a, String b) {
    return a == null || b.compareTo(a) > 0 ? b : a;
  }

  private static Checkpoint newer(Checkpoint a, Checkpoint b) {
    return a == null || b != null && b.time().compareTo(a.time()) > 0 ? b : a;
  }

  Reply weightsInfo(Request request) {
    CheckpointId id = CheckpointId.parse(request.read(Weights.InfoRequest.class).tinkerPath());
    Store.Meta meta = engine.store().read(id);
    return Reply.json(new Weights.Info(meta.baseModel(), meta.isLora(), meta.isLora() ? meta.loraRank() : 0, false,
        meta.trainMlp(), meta.trainAttn(), Steps.OptimizerConfig.ADAMW));
  }

  /** Keeps a checkpoint under another run, which stays when the first is deleted. */
  Reply copy(Request request) {
    Weights.Copy body = request.read(Weights.Copy.class);
    Session session = clients.session(body.sessionId());
    CheckpointId from = CheckpointId.parse(body.sourcePath());
    String path = session.copy(body.modelSeqId(), Fingerprint.of("copy", WireJson.write(body)), run -> {
      CheckpointId to = CheckpointId.of(run, from.kind(), from.name());
      engine.store().copy(from, to, engine.instant(), Store.after(engine.instant(), body.ttlSeconds()));
      return to.toString();
    });
    return Reply.json(new Weights.Copied(path));
  }

  Reply delete(Request request) {
    engine.store().delete(id(request));
    return Reply.empty();
  }

  Reply publish(Request request) {
    return share(request, true);
  }

  Reply unpublish(Request request) {
    return share(request, false);
  }

  private Reply share(Request request, boolean shared) {
    CheckpointId id = id(request);
    Store.Meta meta = engine.store().read(id);
    if (Boolean.TRUE.equals(meta.shared()) == shared) {
      throw new Problem(409, id + " is " + (shared ? "published already" : "not published"));
    }
    engine.store().write(id, meta.shared(shared));
    return Reply.empty();
  }

  Reply ttl(Request request) {
    CheckpointId id = id(request);
    JsonNode seconds = Problem.require(WireJson.tree(request.body()).get("ttl_seconds"), "ttl_seconds");
    if (!seconds.isNull() && !(seconds.isIntegralNumber() && seconds.canConvertToLong())) {
      throw new Problem(422, "ttl_seconds is " + seconds + ": give a whole number, or null for ever");
    }
    String expires = Store.after(engine.instant(), seconds.isNull() ? null : (Long) seconds.asLong());
    engine.store().write(id, engine.store().read(id).expiring(expires));
    return Reply.empty();
  }

  /** Sends the client to an address that it can fetch without its token. */
  Reply archive(Request request) {
    CheckpointId id = id(request);
    engine.store().read(id);
    Downloads.Ticket ticket = downloads.issue(id, engine.instant());
    String scheme = request.header("X-Forwarded-Proto").equals("https") ? "https" : "http";
    return new Reply(302, null, Map.of("Location", scheme + "://" + request.header("Host") + "/" + Paths.PREFIX
        + "download/" + ticket.secret(),
        "Expires", DateTimeFormatter.RFC_1123_DATE_TIME.format(ticket.expires().atOffset(ZoneOffset.UTC))), 0,
        out -> { });
  }

  Reply download(Request request) {
    CheckpointId id = downloads.get(request.segment(1), engine.instant());
    engine.store().read(id);
    // What is sent is what it is now, though it may be saved anew before all has been sent.
    OpenDirectory files = open(id);
    return new Reply(200, "application/x-tar", Map.of(), Tar.size(files), out -> {
      try (files) {
        Tar.write(files, out);
      }
    });
  }

  private OpenDirectory open(CheckpointId id) {
    try {
      return OpenDirectory.open(engine.store().directory(id), "the checkpoint");
    } catch (InvalidInputException e) {
      throw Problem.unknown("there is no checkpoint " + id);
    }
  }
}
